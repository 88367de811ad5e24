// Which commands a head-end may give, and how much each may change (C3).

export type CommandClass = 'read' | 'operate' | 'configure';

/** The contract's commands, and the name under which this collector does them. */
const COMMANDS: Readonly<Record<string, readonly [kind: CommandClass, does: string]>> = {
  ping: ['read', 'ping'],
  birth: ['read', 'birth'],
  'meter.list': ['read', 'meter.list'],
  read: ['read', 'read'],
  replay: ['read', 'replay'],
  'billing.read': ['read', 'billing.read'],
  'events.list': ['read', 'events'],
  'diag.bus': ['read', 'bus.stats'],
  'time.get': ['read', 'time.get'],
  'config.get': ['read', 'config.get'],
  'event.ack': ['operate', 'event.ack'],
  'alerts.set': ['operate', 'alerts.set'],
  'vacation.set': ['operate', 'vacation.set'],
  'vacation.clear': ['operate', 'vacation.clear'],
  'service.set': ['operate', 'service.set'],
  'bus.scan': ['operate', 'bus.scan'],
  'reading.add': ['operate', 'reading.add'],
  'reading.confirm': ['operate', 'reading.confirm'],
  'reading.reject': ['operate', 'reading.reject'],
  'meter.maintenance': ['operate', 'meter.maintenance'],
  'log.level': ['operate', 'log.level'],
  'meter.add': ['configure', 'meter.add'],
  'meter.update': ['configure', 'meter.update'],
  'config.set': ['configure', 'config.set'],
  'meter.disable': ['configure', 'meter.disable'],
  'meter.enable': ['configure', 'meter.enable'],
  changeout: ['configure', 'changeout'],
};

/** Undefined for what is no command of the contract, or not done by this version. */
export function remoteCommand(name: string): { kind: CommandClass; does: string } | undefined {
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return found && { kind: found[0], does: found[1] };
}

/** The names of the commands of these classes, for birth (S2). */
export function commandsOf(allowed: readonly CommandClass[]): string[] {
  return Object.entries(COMMANDS).flatMap(([name, [kind]]) =>
    allowed.includes(kind) ? [name] : [],
  );
}
