// Cross checks of buses and meters: what one entry says must fit what the others and the profiles say.

import { modbusAddress, placeOf, writtenAddress } from '../domain/modbus-address.ts';
import {
  type HandProfile,
  type ModbusProfile,
  type Profile,
  READ_BY_HAND,
} from '../domain/profile.ts';
import { capacity, type Dial, metricShift } from '../domain/units.ts';
import { checkLines, type ProfiledMeter, profileOn } from './check-lines.ts';
import { digitsCarried } from './check-modbus-profile.ts';
import { defaultMaxFlowPerH } from './default-flow.ts';
import { entries, type Findings, record, text } from './findings.ts';
import { hostIn, isHost } from './host-name.ts';
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
  'modbus-rtu-tcp': 'modbus',
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
  const onceAt = addressOnceFor(findings);
  const names = buses.flatMap(({ entry }) => text(entry['bus']) ?? []);
  const onBus = new Map(buses.map(({ entry }) => [entry['bus'], entry]));
  const profiled: ProfiledMeter[] = [];
  for (const { pointer, entry } of meters) {
    once('meter.duplicate', text(entry['meter']), `${pointer}/meter`, 'The meter');
    if (entry['profile'] === READ_BY_HAND.name) {
      checkDial(entry, READ_BY_HAND, pointer, findings);
      continue;
    }
    checkBusOf(entry, pointer, names, findings);
    const found = profileOf(entry, pointer, profiles, findings);
    if (found === undefined) continue;
    const bus = onBus.get(entry['bus']);
    const profile = profileOn(found, bus);
    profiled.push({ pointer, entry, profile });
    checkTransport(profile, text(bus?.['type']), pointer, findings);
    const over = bus?.['type'] === 'modbus-tcp' ? 'tcp' : 'line';
    const address = checkAddress(entry, profile, pointer, { source, over }, findings);
    if (address !== undefined && names.includes(String(entry['bus']))) {
      const where = entry['address'] === undefined ? `${pointer}/bus` : `${pointer}/address`;
      onceAt(String(entry['bus']), address, where);
    }
    checkDial(entry, profile, pointer, findings);
  }
  checkLines(buses, profiled, findings);
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
      findings[sort]({ code, pointer: at, message, atAlias: true });
    }
  };
}

/** The same for the addresses of each bus: two that are written differently may mean one device. */
function addressOnceFor(findings: Findings) {
  const seen = new Map<string, { readonly written: string; readonly at: string }>();
  return (bus: string, { written, place }: Addressed, at: string) => {
    const key = JSON.stringify([bus, place]);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, { written, at });
      return;
    }
    const line = findings.lineOf(first.at);
    const message =
      written === first.written
        ? `The address "${written}" on bus "${bus}" is used already on line ${line}.`
        : `The address "${written}" on bus "${bus}" is the same device as "${first.written}" on line ${line}: over Modbus TCP 0 and 255 both mean the device itself. One behind it has a unit of 1 to 247.`;
    findings.problem({ code: 'address.duplicate', pointer: at, message, atAlias: true });
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
    checkHost(text(entry['host']), `${pointer}/host`, findings);
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

/** What is written into the field of a browser is no host: it would be looked for in vain, for ever. */
function checkHost(host: string | undefined, pointer: string, findings: Findings): void {
  if (host === undefined || isHost(host)) return;
  const message = 'host must be a name or an IP address, without scheme and port.';
  findings.problem({ code: 'peer.host', pointer, message, suggestion: hostIn(host) });
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
    const names = [...profiles.names, READ_BY_HAND.name];
    const suggestion = nearest(name, names);
    const known = suggestion === undefined ? `; known are ${names.join(', ')}` : '';
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

/** What an address is held against. */
interface AddressSource {
  readonly source: Source;
  readonly over: 'line' | 'tcp';
}

/** An address in its normal form, and the place it means, for comparing. */
interface Addressed {
  readonly written: string;
  readonly place: string;
}

/** Undefined when the address is absent or wrong. */
function checkAddress(
  entry: Entry,
  profile: Profile,
  at: string,
  { source, over }: AddressSource,
  findings: Findings,
): Addressed | undefined {
  const address = entry['address'];
  const pointer = `${at}/address`;
  const asked = profile.transport === 'modbus' || profile.request?.includes('{address}') === true;
  if (address === undefined) {
    // Two meters in one frame are two places on the bus.
    if (!asked) return alike(profile.channel === undefined ? '' : `channel ${profile.channel}`);
    const message = `The profile "${profile.name}" needs the key "address".`;
    findings.problem({ code: 'key.missing', pointer: at, message });
    return undefined;
  }
  if (typeof address !== 'string' && typeof address !== 'number') return undefined;
  const written = source.writtenAs(pointer) ?? String(address);
  if (profile.transport === 'line') {
    if (typeof address === 'string' || written === String(address)) return alike(String(address));
    const message = 'address reads as a number and loses its form: put it in quotes.';
    findings.problem({ code: 'value.quote', pointer, message, suggestion: written });
    return undefined;
  }
  return checkModbusAddress(
    profile,
    { address: String(address), written, over },
    pointer,
    findings,
  );
}

function checkModbusAddress(
  { channels }: ModbusProfile,
  said: { readonly address: string; readonly written: string; readonly over: 'line' | 'tcp' },
  pointer: string,
  findings: Findings,
): Addressed | undefined {
  const place = modbusAddress(said.address, said.over);
  if (place !== undefined && place.channel <= channels) {
    const normal = (one: typeof place) => writtenAddress(one, channels);
    return { written: normal(place), place: normal(placeOf(place)) };
  }
  const itself = said.over === 'tcp' ? ', or 255 for the device itself' : '';
  const channel = channels > 1 ? `, with /1 to /${channels} for its channel` : '';
  const message = `address is "${said.written}", but a Modbus address is 1 to 247${itself}${channel}.`;
  findings.problem({ code: 'address.range', pointer, message });
  return undefined;
}

function alike(address: string): Addressed {
  return { written: address, place: address };
}

/** The meter's dial: the profile's, with what the meter itself says laid over it. */
export function dialOf(entry: Entry, profile: Profile | HandProfile): Dial {
  return { ...profile.dial, ...(record(entry['dial']) as Partial<Dial>) };
}

function checkDial(
  entry: Entry,
  profile: Profile | HandProfile,
  at: string,
  findings: Findings,
): void {
  const dial = dialOf(entry, profile);
  const whole = [dial.digits, dial.pow10].every(Number.isInteger);
  if (!whole || dial.digits < 1 || dial.digits > 15) return;
  const said = entry['dial'] === undefined ? `${at}/profile` : `${at}/dial`;
  if (profile.transport === 'modbus') checkCarried(profile, dial, said, findings);
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

/** What the profile's total says of itself must fit the dial that the meter has. */
function checkCarried(
  { name, register }: ModbusProfile,
  dial: Dial,
  pointer: string,
  findings: Findings,
): void {
  if (dial.digits > digitsCarried(register, dial)) {
    const message = `A ${register.type} cannot carry a dial of ${dial.digits} digits.`;
    findings.problem({ code: 'dial.too_wide', pointer, message });
  }
  const { unit } = register;
  if (typeof unit === 'string' && metricShift(unit, dial.unit) === null) {
    const message = `The profile "${name}" counts in ${unit}, the dial in ${dial.unit}.`;
    findings.problem({ code: 'dial.unit', pointer, message });
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
