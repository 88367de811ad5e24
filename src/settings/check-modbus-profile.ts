// The Modbus half of a device file: what its keys must agree on, and the ModbusProfile they make.

import { ordersOf, WORDS_OF } from '../codec/modbus-words.ts';
import { DEVICE_FLAGS } from '../domain/device-flag.ts';
import type {
  CodedUnit,
  ModbusNumber,
  ModbusOrder,
  ModbusProfile,
  ModbusSign,
  ModbusStatus,
  ModbusText,
  ModbusTotal,
  ModbusType,
  ProfileBase,
} from '../domain/profile.ts';
import type { Dial, VolumeUnit } from '../domain/units.ts';
import { entries, type Findings, record } from './findings.ts';
import { pointerTo } from './parse-yaml.ts';
import { nearest } from './problems.ts';

type Entry = Readonly<Record<string, unknown>>;

/** One field of the file: a map with an `address`. */
interface Field {
  readonly pointer: string;
  readonly entry: Entry;
}

/** Modbus addresses have 16 bits. */
const ADDRESSES = 0x1_0000;
/** Every order that a type of ours can come in. */
const ORDERS = new Set((Object.keys(WORDS_OF) as ModbusType[]).flatMap(ordersOf));
const SIGNS = [...Object.keys(DEVICE_FLAGS), 'register.stale'];
const WORD_BITS = 16;

/** Checks what the schema cannot say. `data` has the schema's shape, or has been found not to. */
export function checkModbus(data: Entry, findings: Findings): void {
  const channels = numberOr(data['channels'], 1);
  const fields = fieldsOf(data);
  for (const field of fields) {
    checkOrder(field, findings);
    checkReach(field, channels, findings);
  }
  checkNotation(fields, findings);
  for (const { pointer, entry } of entries(data, 'status')) checkStatus(pointer, entry, findings);
  if (!Array.isArray(data['readable'])) return;
  data['readable'].forEach((range: unknown, i) => {
    const [first, last] = Array.isArray(range) ? range : [];
    if (typeof first !== 'number' || typeof last !== 'number' || first <= last) return;
    const message = 'The first address of a range stands before its last.';
    findings.problem({ code: 'value.range', pointer: `/readable/${i}`, message });
  });
}

/** Every field with an address, in the order of the keys. */
function fieldsOf(data: Entry): Field[] {
  const register = record(data['register']);
  const single = [
    { pointer: '/register', entry: register },
    { pointer: '/register/unit', entry: record(register['unit']) },
    { pointer: '/register/pow10', entry: record(register['pow10']) },
    { pointer: '/dial_digits', entry: record(data['dial_digits']) },
    { pointer: '/id', entry: record(data['id']) },
  ];
  return [...single, ...entries(data, 'status')].filter(({ entry }) => 'address' in entry);
}

function checkOrder({ pointer, entry }: Field, findings: Findings): void {
  const { type, order } = entry as { type?: ModbusType; order?: ModbusOrder };
  if (order === undefined || type === undefined) return;
  const isText = String(type).startsWith('ascii');
  // A type or an order that none has is said by the schema.
  if (!(type in WORDS_OF || isText) || !ORDERS.has(order)) return;
  const orders = isText ? [] : ordersOf(type);
  if (orders.includes(order)) return;
  const message =
    orders.length === 0
      ? 'A text has no order; choose ascii or ascii-pair.'
      : `The order of a ${type} is ${orders.join(', ')}, not ${order}.`;
  findings.problem({ code: 'value.enum', pointer: `${pointer}/order`, message });
}

function checkReach({ pointer, entry }: Field, channels: number, findings: Findings): void {
  const address = numberOr(entry['address'], 0);
  const step = numberOr(entry['step'], 0);
  const words = WORDS_OF[entry['type'] as ModbusType] ?? numberOr(entry['words'], 1);
  const end = address + step * (channels - 1) + words;
  // An address beyond them is said by the schema.
  if (end <= ADDRESSES || address >= ADDRESSES) return;
  const message = `The last of these words would stand at ${end - 1}; addresses end at ${ADDRESSES - 1}.`;
  findings.problem({ code: 'value.range', pointer: `${pointer}/address`, message });
}

/** Where manuals begin to number the registers of a table: with 4 or 5 digits behind the table's own. */
const MANUALS = [
  { table: 'input', first: 30_001, last: 39_999 },
  { table: 'holding', first: 40_001, last: 49_999 },
  { table: 'input', first: 300_001, last: 365_536 },
  { table: 'holding', first: 400_001, last: 465_536 },
] as const;

/**
 * A manual's 40001 is address 0 of the holding registers. There are devices that count from 40000 on the wire (SunSpec's), so
 * where such an address can stand at all it is only a doubt, told once a file.
 */
function checkNotation(fields: readonly Field[], findings: Findings): void {
  for (const { pointer, entry } of fields) {
    const address = numberOr(entry['address'], 0);
    const meant = MANUALS.find(({ first, last }) => first <= address && address <= last);
    if (meant === undefined) continue;
    const { table, first } = meant;
    const at = { code: 'address.notation', pointer: `${pointer}/address` } as const;
    const instead = `address ${address - first} with table: ${table}`;
    if (address >= ADDRESSES) {
      const message = `address ${address} is a manual's number of a register: write ${instead}.`;
      findings.problem({ ...at, message });
      continue;
    }
    const message = `address ${address} looks like a manual's number of a register; on the wire that is ${instead}. Keep it only if the device counts so on the wire.`;
    findings.warning({ ...at, message });
    return;
  }
}

function checkStatus(pointer: string, entry: Entry, findings: Findings): void {
  if (['bits', 'codes', 'nonzero'].every((key) => entry[key] === undefined)) {
    const message = 'A status word says what it raises: bits, codes or nonzero.';
    findings.problem({ code: 'key.missing', pointer, message });
  }
  const bits = record(entry['bits']);
  const width = WORD_BITS * (WORDS_OF[entry['type'] as ModbusType] ?? 1);
  for (const bit of Object.keys(bits).filter((key) => Number(key) >= width)) {
    const message = `A ${entry['type']} has the bits 0 to ${width - 1}.`;
    findings.problem({ code: 'value.range', pointer: pointerTo(`${pointer}/bits`, bit), message });
  }
  const signs = [
    ...Object.keys(bits).map((key) => pointerTo('/bits', key)),
    ...Object.keys(record(entry['codes'])).map((key) => pointerTo('/codes', key)),
    '/nonzero',
  ];
  for (const at of signs) {
    const [, key = '', code] = at.split('/');
    const sign = code === undefined ? entry[key] : record(entry[key])[code];
    if (typeof sign === 'string') checkSign(sign, pointer + at, findings);
  }
}

function checkSign(sign: string, pointer: string, findings: Findings): void {
  if (SIGNS.includes(sign)) return;
  const suggestion = nearest(sign, SIGNS);
  const known = suggestion === undefined ? `; known are ${SIGNS.join(', ')}` : '';
  const message = `There is no flag "${sign}"${known}.`;
  findings.problem({ code: 'value.enum', pointer, message, suggestion });
}

/**
 * The most digits of a dial with counts of 10^`dial.pow10` that a total can carry: one more, and the number would wrap at
 * its own 2^16 or 2^32 (or, as a float, begin to skip counts) before the dial passes zero.
 */
export function digitsCarried(total: ModbusTotal, dial: Dial): number {
  const scale = typeof total.pow10 === 'number' ? total.pow10 - dial.pow10 : 0;
  switch (total.type) {
    case 'u16':
    case 'i16':
      return 4 + scale;
    case 'u32':
    case 'i32':
      return 9 + scale;
    case 'u64':
    case 'i64':
      return 18 + scale;
    case 'bcd16':
    case 'bcd32':
    case 'bcd64':
      return 4 * WORDS_OF[total.type] + scale;
    case 'f32':
      return 7;
    case 'f64':
      return 15;
    case 'whole-nano':
      // Its whole units have the 9 digits of an i32; without a scale they are units of the dial.
      return 9 + (typeof total.pow10 === 'number' ? scale : -dial.pow10);
  }
}

interface RawNumber {
  readonly address: number;
  readonly step?: number;
  readonly type: ModbusType;
  readonly order?: ModbusOrder;
}

interface RawProfile {
  readonly table: 'holding' | 'input';
  readonly channels?: number;
  readonly readable?: readonly (readonly [number, number])[];
  readonly register: RawNumber & {
    readonly unit?: VolumeUnit | (RawNumber & { codes: Record<string, RawUnit> });
    readonly pow10?: number | (RawNumber & { codes?: Record<string, number> });
  };
  readonly dial_digits?: RawNumber;
  readonly id?: RawNumber | (Omit<ModbusText, 'step'> & { step?: number });
  readonly status?: readonly (RawNumber & {
    readonly bits?: Record<string, ModbusSign>;
    readonly bit_step?: number;
    readonly codes?: Record<string, ModbusSign>;
    readonly nonzero?: ModbusSign;
  })[];
}

interface RawUnit {
  readonly unit: VolumeUnit;
  readonly pow10?: number;
}

/** The profile of a file that has passed its checks. */
export function toModbusProfile(data: Entry, base: Omit<ProfileBase, 'checked'>): ModbusProfile {
  const raw = data as unknown as RawProfile;
  return {
    ...base,
    transport: 'modbus',
    // Every RTU answer carries a CRC, and TCP has its own check sum.
    checked: true,
    table: raw.table,
    channels: raw.channels ?? 1,
    readable: raw.readable ?? [],
    register: toTotal(raw.register),
    ...(raw.dial_digits === undefined ? {} : { dialDigits: toNumber(raw.dial_digits) }),
    ...(raw.id === undefined ? {} : { id: toId(raw.id) }),
    status: (raw.status ?? []).map(toStatus),
  };
}

function toNumber({ address, step = 0, type, order }: RawNumber): ModbusNumber {
  return { address, step, type, order: order ?? (ordersOf(type)[0] as ModbusOrder) };
}

function toTotal(raw: RawProfile['register']): ModbusTotal {
  const { unit, pow10 } = raw;
  return {
    ...toNumber(raw),
    ...(unit === undefined ? {} : { unit: typeof unit === 'object' ? toUnit(unit) : unit }),
    ...(pow10 === undefined ? {} : { pow10: typeof pow10 === 'object' ? toScale(pow10) : pow10 }),
  };
}

function toUnit(raw: RawNumber & { codes: Record<string, RawUnit> }) {
  const codes = Object.entries(raw.codes).map(
    ([code, { unit, pow10 = 0 }]): [string, CodedUnit] => [code, { unit, pow10 }],
  );
  return { ...toNumber(raw), codes: Object.fromEntries(codes) };
}

function toScale(raw: RawNumber & { codes?: Record<string, number> }) {
  const { codes } = raw;
  return codes === undefined ? toNumber(raw) : { ...toNumber(raw), codes };
}

function toId(raw: NonNullable<RawProfile['id']>): ModbusNumber | ModbusText {
  if (!('words' in raw)) return toNumber(raw as RawNumber);
  const { address, step = 0, type, words } = raw;
  return { address, step, type, words };
}

function toStatus(raw: NonNullable<RawProfile['status']>[number]): ModbusStatus {
  const { bits, bit_step: bitStep = 0, codes, nonzero } = raw;
  return {
    ...toNumber(raw),
    bitStep,
    ...(bits === undefined ? {} : { bits }),
    ...(codes === undefined ? {} : { codes }),
    ...(nonzero === undefined ? {} : { nonzero }),
  };
}

function numberOr(unknown: unknown, otherwise: number): number {
  return typeof unknown === 'number' ? unknown : otherwise;
}
