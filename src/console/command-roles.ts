// Every command of the collector, and the role it takes at the console; what is not here cannot be asked for.

import type { Access } from './roles.ts';

/**
 * Viewers ask what is kept and known; technicians have meters read, scanned, traced, proved and swapped; admins change
 * the settings. A command that names files of the collector is for who sits at it: `nobody` here.
 */
export const COMMAND_ROLES: Readonly<Record<string, Access>> = {
  status: 'viewer',
  intervals: 'viewer',
  readings: 'viewer',
  events: 'viewer',
  alarms: 'viewer',
  alerts: 'viewer',
  'meter.list': 'viewer',
  'meter.show': 'viewer',
  'bus.stats': 'viewer',
  'time.get': 'viewer',
  'billing.read': 'viewer',
  'journal.stats': 'viewer',
  'queue.status': 'viewer',
  'report.list': 'viewer',
  'report.get': 'viewer',
  'commission.get': 'viewer',
  'commission.list': 'viewer',
  'changeout.list': 'viewer',
  'config.schema': 'viewer',
  'audit.progress': 'viewer',
  ping: 'viewer',

  read: 'technician',
  verify: 'technician',
  doctor: 'technician',
  audit: 'technician',
  birth: 'technician',
  replay: 'technician',
  'queue.resend': 'technician',
  'bus.scan': 'technician',
  'bus.scan.progress': 'technician',
  'bus.scan.stop': 'technician',
  'bus.trace': 'technician',
  'bus.trace.take': 'technician',
  'bus.trace.stop': 'technician',
  'commission.begin': 'technician',
  'commission.step': 'technician',
  'commission.cancel': 'technician',
  changeout: 'technician',
  'changeout.keep': 'technician',
  'changeout.drop': 'technician',
  'meter.disable': 'technician',
  'meter.enable': 'technician',
  'meter.maintenance': 'technician',
  'reading.add': 'technician',
  'reading.confirm': 'technician',
  'reading.reject': 'technician',
  'event.ack': 'technician',
  'alerts.set': 'technician',
  'vacation.set': 'technician',
  'vacation.clear': 'technician',
  'service.set': 'technician',
  'config.get': 'technician',

  'meter.add': 'admin',
  'meter.update': 'admin',
  'meter.remove': 'admin',
  'config.set': 'admin',
  'config.diff': 'admin',
  'config.apply': 'admin',
  'log.level': 'admin',

  'journal.backup': 'nobody',
  'journal.export': 'nobody',
};

/** Commands that only ask: they are not told as `command.executed` (C4), and are not counted as acts. */
const ASKING: ReadonlySet<string> = new Set([
  ...Object.keys(COMMAND_ROLES).filter((name) => COMMAND_ROLES[name] === 'viewer'),
  ...['read', 'verify', 'doctor', 'audit', 'config.get', 'config.diff'],
  ...['bus.scan.progress', 'bus.trace.take'],
]);

export const accessTo = (command: string): Access | undefined =>
  Object.hasOwn(COMMAND_ROLES, command) ? COMMAND_ROLES[command] : undefined;

export const onlyAsks = (command: string): boolean => ASKING.has(command);
