// Cross checks of buses and meters: what one entry says must fit what the others and the profiles say.

import type { Profile } from '../domain/profile.ts';
import { capacity, type Dial } from '../domain/units.ts';
import { defaultMaxFlowPerH } from './default-flow.ts';
import { entries, type Findings, record, text } from './findings.ts';
import type { Source } from './parse-yaml.ts';
import { nearest, type ProblemCode } from './problems.ts';
import type { BusSettings } from './settings.ts';

/** The profiles there are. A name without a profile has a file of its own with problems of its own. */
export interface Profiles {
  readonly names: readonly string[];
  readonly byName: ReadonlyMap<string, Profile>;
}

type Entry = Readonly<Record<string, unknown>>;

/** The transport a bus of each type can carry. */
const TRANSPORT: Readonly<Record<BusSettings['type'], Profile['transport']>> = {
  'line-serial': 'line',
  'line-tcp': 'line',
  'modbus-rtu': 'modbus',
  'modbus-tcp': 'modbus',
};

/** Checks all buses and meters of the file. */
export function checkMeters(source: Source, profiles: Profiles, findings: Findings): void {
  const buses = entries(source.data, 'buses');
  const meters = entries(source.data, 'meters');
  checkBuses(buses, meters, findings);
  if (meters.length === 0 && Array.isArray(record(source.data)['meters'])) {
    const message = 'There is no meter yet.';
    findings.warning({ code: 'meter.none', pointer: '/meters', message, atKey: true });
  }
  const once = onceFor(findings);
  const names = buses.flatMap(({ entry }) => text(entry['bus']) ?? []);
  const types = new Map(buses.map(({ entry }) => [entry['bus'], text(entry['type'])]));
  for (const { pointer, entry } of meters) {
    once('meter.duplicate', text(entry['meter']), `${pointer}/meter`, 'The meter');
    checkBusOf(entry, pointer, names, findings);
    const profile = profileOf(entry, pointer, profiles, findings);
    const type = types.get(entry['bus']);
    if (profile === undefined) continue;
    checkTransport(profile, type, pointer, findings);
    const address = checkAddress(entry, profile, pointer, source, findings);
    if (address !== undefined && names.includes(String(entry['bus']))) {
      const where = entry['address'] === undefined ? `${pointer}/bus` : `${pointer}/address`;
      const taken = `The address "${address}" on bus`;
      once('address.duplicate', text(entry['bus']), where, taken, address);
    }
    checkDial(entry, profile, pointer, findings);
  }
  checkRegisterIds(meters, findings);
}

/** Reports the second and later use of what must be unique, pointing at the first. */
function onceFor(findings: Findings, sort: 'problem' | 'warning' = 'problem') {
  const seen = new Map<string, string>();
  return (code: ProblemCode, name: string | undefined, at: string, what: string, more = '') => {
    if (name === undefined) return;
    const key = JSON.stringify([code, name, more]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, at);
    else {
      const message = `${what} "${name}" is used already on line ${findings.lineOf(first)}.`;
      findings[sort]({ code, pointer: at, message });
    }
  };
}

function checkBuses(
  buses: readonly { pointer: string; entry: Entry }[],
  meters: readonly { entry: Entry }[],
  findings: Findings,
): void {
  const once = onceFor(findings);
  const doubtful = onceFor(findings, 'warning');
  const used = new Set(meters.map(({ entry }) => entry['bus']));
  for (const { pointer, entry } of buses) {
    const name = text(entry['bus']);
    once('bus.duplicate', name, `${pointer}/bus`, 'The bus');
    // A serial port has one owner; a TCP peer may serve two, though most converters do not.
    once('port.shared', text(entry['path']), `${pointer}/path`, 'The port');
    if (text(entry['host']) !== undefined && typeof entry['port'] === 'number') {
      const peer = `${entry['host']}:${entry['port']}`;
      doubtful('peer.shared', peer, `${pointer}/host`, 'The peer');
    }
    if (name !== undefined && !used.has(name) && meters.length > 0) {
      const message = `No meter is on the bus "${name}".`;
      findings.warning({ code: 'bus.unused', pointer: `${pointer}/bus`, message });
    }
  }
}

function checkBusOf(entry: Entry, at: string, names: readonly string[], findings: Findings): void {
  const bus = text(entry['bus']);
  if (bus === undefined || names.includes(bus)) return;
  const message = `There is no bus "${bus}".`;
  const suggestion = nearest(bus, names);
  findings.problem({ code: 'bus.unknown', pointer: `${at}/bus`, message, suggestion });
}

function profileOf(
  entry: Entry,
  at: string,
  profiles: Profiles,
  findings: Findings,
): Profile | undefined {
  const name = text(entry['profile']);
  if (name === undefined) return undefined;
  if (!profiles.names.includes(name)) {
    const suggestion = nearest(name, profiles.names);
    const known = suggestion === undefined ? `; known are ${profiles.names.join(', ')}` : '';
    const message = `There is no profile "${name}"${known}.`;
    findings.problem({ code: 'profile.unknown', pointer: `${at}/profile`, message, suggestion });
  }
  return profiles.byName.get(name);
}

function checkTransport(
  profile: Profile,
  type: string | undefined,
  at: string,
  findings: Findings,
): void {
  const carried = TRANSPORT[type as BusSettings['type']];
  if (carried === undefined || carried === profile.transport) return;
  const message = `The profile "${profile.name}" speaks ${profile.transport}, but its bus is of type ${type}.`;
  findings.problem({ code: 'profile.transport', pointer: `${at}/profile`, message });
}

/** The address in its normal form, for comparing; undefined when it is absent or wrong. */
function checkAddress(
  entry: Entry,
  profile: Profile,
  at: string,
  source: Source,
  findings: Findings,
): string | undefined {
  const address = entry['address'];
  const pointer = `${at}/address`;
  const asked = profile.transport === 'modbus' || profile.request?.includes('{address}') === true;
  if (address === undefined) {
    if (!asked) return '';
    const message = `The profile "${profile.name}" needs the key "address".`;
    findings.problem({ code: 'key.missing', pointer: at, message });
    return undefined;
  }
  if (typeof address !== 'string' && typeof address !== 'number') return undefined;
  const written = source.writtenAs(pointer) ?? String(address);
  if (profile.transport === 'line') {
    if (typeof address === 'string' || written === String(address)) return String(address);
    const message = 'address reads as a number and loses its form: put it in quotes.';
    findings.problem({ code: 'value.quote', pointer, message, suggestion: written });
    return undefined;
  }
  const unit = modbusUnit(String(address));
  if (unit !== undefined) return String(unit);
  // Modbus over Serial Line 2.2: 0 is the broadcast, 248 to 255 are reserved.
  const message = `address is "${written}", but a Modbus address is 1 to 247.`;
  findings.problem({ code: 'address.range', pointer, message });
  return undefined;
}

/** A Modbus unit from its text; undefined when it is none. */
export function modbusUnit(address: string): number | undefined {
  const unit = /^\d{1,3}$/.test(address) ? Number(address) : 0;
  return unit >= 1 && unit <= 247 ? unit : undefined;
}

/** The meter's dial: the profile's, with what the meter itself says laid over it. */
export function dialOf(entry: Entry, profile: Profile): Dial {
  return { ...profile.dial, ...(record(entry['dial']) as Partial<Dial>) };
}

/** Digits a Modbus type can carry: one more would wrap at 2^16 or 2^32 instead of at the dial's zero. */
export const WORD_DIGITS_MAX = { u16: 4, u32: 9 } as const;

function checkDial(entry: Entry, profile: Profile, at: string, findings: Findings): void {
  const dial = dialOf(entry, profile);
  const whole = [dial.digits, dial.pow10].every(Number.isInteger);
  if (!whole || dial.digits < 1 || dial.digits > 15) return;
  const said = entry['dial'] === undefined ? `${at}/profile` : `${at}/dial`;
  if (profile.transport === 'modbus' && dial.digits > WORD_DIGITS_MAX[profile.type]) {
    const message = `A ${profile.type} cannot carry a dial of ${dial.digits} digits.`;
    findings.problem({ code: 'dial.too_wide', pointer: said, message });
  }
  const flow = entry['max_flow_per_h'];
  if (typeof flow === 'number' && flow >= capacity(dial)) {
    const message = `max_flow_per_h is ${flow} counts, but the whole dial has ${capacity(dial)}.`;
    findings.problem({ code: 'max_flow.range', pointer: `${at}/max_flow_per_h`, message });
  }
  if (flow === undefined && defaultMaxFlowPerH(dial) === capacity(dial) - 1) {
    const message = 'This dial may turn through whole in an hour; set max_flow_per_h.';
    findings.warning({ code: 'dial.too_small', pointer: said, message });
  }
}

/** Makers number on their own, so two encoders may share an identification; a copied line is likelier. */
function checkRegisterIds(
  meters: readonly { pointer: string; entry: Entry }[],
  findings: Findings,
): void {
  const once = onceFor(findings, 'warning');
  for (const { pointer, entry } of meters) {
    const id = text(entry['register_id']);
    once('register_id.duplicate', id, `${pointer}/register_id`, 'The register_id');
  }
}
