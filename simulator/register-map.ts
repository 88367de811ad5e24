// The Modbus words of a device: its register, codes, identification and status, each where its file says.

import type { DeviceNumber, DeviceText, ModbusDevice } from './device.ts';
import type { Saying } from './encodings.ts';
import type { MeterDial, MeterUnit } from './meter.ts';

const SIZE = {
  ...{ u16: 1, i16: 1, u32: 2, i32: 2, u64: 4, i64: 4 },
  ...{ bcd16: 1, bcd32: 2, bcd64: 4, f32: 2, f64: 4, 'whole-nano': 4 },
} as const;
const NANO = 1_000_000_000n;

type Field = DeviceNumber | DeviceText;

function sizeOf(field: Field): number {
  return 'words' in field ? field.words : SIZE[field.type];
}

function addressOf(field: Field, channel: number): number {
  return field.address + (field.step ?? 0) * (channel - 1);
}

/** Bytes with the highest first (A, B, C, ...) put in the order in which their letters are written. */
function inOrder(bytes: Buffer, order: string | undefined): number[] {
  const letters = order ?? 'ABCDEFGH'.slice(0, bytes.length);
  const sent = [...letters].map((letter) => bytes[letter.charCodeAt(0) - 65] ?? 0);
  return Array.from(
    { length: sent.length / 2 },
    (_, i) => (sent[2 * i] as number) * 256 + (sent[2 * i + 1] as number),
  );
}

/** The words of `counted` x 10^`pow10`, cut to whole numbers where the type has no more. */
export function numberWords(
  { type, order }: Pick<DeviceNumber, 'type' | 'order'>,
  counted: number,
  pow10 = 0,
): number[] {
  if (type === 'whole-nano') {
    const tens = pow10 + 9;
    const nanos =
      tens >= 0 ? BigInt(counted) * 10n ** BigInt(tens) : BigInt(counted) / 10n ** BigInt(-tens);
    return [...intWords(Number(nanos / NANO), order), ...intWords(Number(nanos % NANO), order)];
  }
  // A quotient of two exact numbers is rounded once; a product with 0.1 would be twice.
  const number = pow10 < 0 ? counted / 10 ** -pow10 : counted * 10 ** pow10;
  const bytes = Buffer.alloc(2 * SIZE[type]);
  if (type === 'f32') bytes.writeFloatBE(number);
  else if (type === 'f64') bytes.writeDoubleBE(number);
  else if (type.startsWith('bcd')) bytes.write(bcd(number, 4 * SIZE[type]), 'hex');
  else if (SIZE[type] === 4) bytes.writeBigUInt64BE(BigInt(Math.floor(number)));
  else if (SIZE[type] === 1) bytes.writeUInt16BE(Math.floor(number) & 0xffff);
  else bytes.writeUInt32BE(Math.floor(number) >>> 0);
  return inOrder(bytes, order);
}

/** A decimal digit in each 4 bits; as many as there is room for. */
function bcd(number: number, digits: number): string {
  return BigInt(Math.floor(number)).toString().padStart(digits, '0').slice(-digits);
}

function intWords(whole: number, order: string | undefined): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(whole);
  return inOrder(bytes, order);
}

/** Identification as text or number; an identification that is no number stands in a number as 0. */
function idWords(field: Field, id: string): number[] {
  if (!('words' in field)) return numberWords(field, Number(id) || 0);
  const perWord = field.type === 'ascii' ? 1 : 2;
  const text = id.slice(0, field.words * perWord).padEnd(field.words * perWord, '\0');
  return Array.from({ length: field.words }, (_, i) =>
    perWord === 1 ? text.charCodeAt(i) : text.charCodeAt(2 * i) * 256 + text.charCodeAt(2 * i + 1),
  );
}

/** Litres are thousandths of a cubic metre; no other two units are decimal parts of each other. */
function metric(from: MeterUnit, to: MeterUnit): number {
  if (from === to) return 0;
  if (from === 'm3' && to === 'L') return 3;
  if (from === 'L' && to === 'm3') return -3;
  throw new RangeError(`a device that counts ${to} cannot stand for a dial of ${from}`);
}

/** Words by address, written channel by channel. */
class Words extends Map<number, number> {
  put(field: Field, channel: number, sent: readonly number[]): void {
    for (const [i, word] of sent.entries()) this.set(addressOf(field, channel) + i, word);
  }
}

/** Writes the unit that is counted, and returns the power of ten of it that one step of a plain number is. */
function placeUnit(words: Words, device: ModbusDevice, channel: number, dial: MeterDial): number {
  const { unit } = device.register;
  if (typeof unit !== 'object') return dial.pow10 + metric(dial.unit, unit ?? dial.unit);
  const code = Object.keys(unit.codes).find((key) => unit.codes[key]?.unit === dial.unit);
  if (code === undefined) throw new RangeError(`${device.profile} has no code for ${dial.unit}`);
  words.put(unit, channel, numberWords(unit, Number(code)));
  return dial.pow10 - (unit.codes[code]?.pow10 ?? 0);
}

/** Writes the exponent where the device has one, and returns the power of ten that one step of the total is. */
function placeScale(words: Words, device: ModbusDevice, channel: number, wanted: number): number {
  const { pow10, unit, type } = device.register;
  if (typeof pow10 === 'number') return pow10;
  if (pow10 === undefined) {
    // A whole number of which nothing is said counts the dial's own counts.
    return unit === undefined && /^[ui]/.test(type) ? wanted : 0;
  }
  const { codes } = pow10;
  const said = codes ? Object.keys(codes).find((key) => codes[key] === wanted) : String(wanted);
  if (said === undefined) throw new RangeError(`${device.profile} has no code for 10^${wanted}`);
  words.put(pow10, channel, numberWords(pow10, Number(said)));
  return wanted;
}

/** Writes everything that one encoder has to say. */
function placeTotal(words: Words, device: ModbusDevice, channel: number, saying: Saying): void {
  const { register, dial_digits, id } = device;
  const wanted = placeUnit(words, device, channel, saying.dial);
  const scale = placeScale(words, device, channel, wanted);
  words.put(register, channel, numberWords(register, saying.register, wanted - scale));
  if (dial_digits) words.put(dial_digits, channel, numberWords(dial_digits, saying.dial.digits));
  if (id) words.put(id, channel, idWords(id, saying.id ?? ''));
}

/** Says that the total of a channel is not fresh, where the device has a way to. Returns whether it has. */
function placeStale(words: Words, device: ModbusDevice, channel: number): boolean {
  for (const status of device.status ?? []) {
    const bit = Object.keys(status.bits ?? {}).find(
      (key) => status.bits?.[key] === 'register.stale',
    );
    const at = addressOf(status, channel);
    if (bit !== undefined) {
      const raised = Number(bit) + (status.bit_step ?? 0) * (channel - 1);
      words.set(at, (words.get(at) ?? 0) | (1 << raised));
      return true;
    }
    if (status.nonzero === 'register.stale') {
      words.set(at, 1);
      return true;
    }
  }
  if (!/^f/.test(device.register.type)) return false;
  numberWords(device.register, Number.NaN).forEach((word, i) => {
    words.set(addressOf(device.register, channel) + i, word);
  });
  return true;
}

/** Every word that the device answers, as 0. */
function emptyWords(device: ModbusDevice): Words {
  const words = new Words();
  for (const [first, last] of device.readable ?? []) {
    for (let at = first; at <= last; at++) words.set(at, 0);
  }
  const { register, dial_digits, id, status = [] } = device;
  const coded = [register.unit, register.pow10].filter((one) => typeof one === 'object');
  const fields = [register, dial_digits, id, ...coded, ...status].filter(
    (one) => one !== undefined,
  );
  for (let channel = 1; channel <= (device.channels ?? 1); channel++) {
    for (const field of fields) words.put(field, channel, Array(sizeOf(field)).fill(0));
  }
  return words;
}

/**
 * Every word that the device answers, by its address; null when it cannot say that its encoder is unreadable otherwise
 * than by an exception. What is not known of the device is 0 inside `readable` and absent elsewhere. `sayings` are its
 * encoders, channel by channel. Throws RangeError for a dial that the device cannot state.
 */
export function registerMap(
  device: ModbusDevice,
  sayings: readonly (Saying | null)[],
): ReadonlyMap<number, number> | null {
  const words = emptyWords(device);
  for (const [i, saying] of sayings.entries()) {
    if (!saying) continue;
    placeTotal(words, device, i + 1, saying);
    if (saying.unreadable && !placeStale(words, device, i + 1)) return null;
  }
  return words;
}

/** Whether a question for these words takes the whole register of a channel. */
export function takesRegister(
  device: ModbusDevice,
  channel: number,
  address: number,
  quantity: number,
): boolean {
  const first = addressOf(device.register, channel);
  return address <= first && first + sizeOf(device.register) <= address + quantity;
}
