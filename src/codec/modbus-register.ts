// The words of a Modbus profile to what the device says of its dial; whatever is doubtful is a fault.

import type { DeviceFlag } from '../domain/device-flag.ts';
import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type {
  ModbusNumber,
  ModbusProfile,
  ModbusSign,
  ModbusStatus,
  ModbusText,
  Register,
} from '../domain/profile.ts';
import { type Dial, metricShift, type VolumeUnit } from '../domain/units.ts';
import { addressOf, type ModbusBlock, wordsOf } from './modbus-blocks.ts';
import { countsOf } from './modbus-counts.ts';
import { numberIn, textIn } from './modbus-words.ts';

/** The answers to the questions of `blocksOf`, in their order. */
export type Answers = readonly {
  readonly block: ModbusBlock;
  readonly words: readonly number[];
}[];

/** Exponents beyond these are no resolution of a water meter; a device that says one says something else. */
const POW10_LIMIT = 12;

/**
 * What the device says of the dial of a channel (from 1). `register` is what the dial shows, 0 to below 10^digits; the
 * rollovers that a device counts are a flag and never added: the dial's own passing through zero is followed by whoever
 * keeps the readings, and a counter that a restart puts back to 0 would turn into water.
 *
 * `register.stale` when a status says that the total is not fresh, `register.unit` for an unknown or another unit than
 * the dial's, `register.digits` when the device's dial has another capacity, or as `countsOf` and `numberIn` say.
 */
export function registerIn(
  answers: Answers,
  profile: ModbusProfile,
  dial: Dial,
  channel: number,
): Result<Register> {
  const read = new ChannelWords(answers, channel);
  const flags = flagsIn(read, profile.status, channel);
  if (!flags.ok) return flags;
  const pow10 = pow10In(read, profile, dial);
  if (!pow10.ok) return pow10;
  const same = sameCapacity(read, profile, pow10.value, dial);
  if (!same.ok) return same;
  const held = read.number(profile.register);
  if (!held.ok) return held;
  const counts = countsOf(held.value, pow10.value, dial, profile.sends);
  if (!counts.ok) return counts;
  const register = counts.value;
  const digits = String(register).padStart(dial.digits, '0');
  return good({ register, digits, id: idIn(read, profile), flags: flags.value });
}

/** The words of one channel by the fields that stand in them. */
class ChannelWords {
  readonly #answers: Answers;
  readonly #channel: number;

  constructor(answers: Answers, channel: number) {
    this.#answers = answers;
    this.#channel = channel;
  }

  words(field: ModbusNumber | ModbusText): readonly number[] {
    const address = addressOf(field, this.#channel);
    const holder = this.#answers.find(
      ({ block }) =>
        block.address <= address && address + wordsOf(field) <= block.address + block.quantity,
    );
    const from = address - (holder?.block.address ?? 0);
    return holder?.words.slice(from, from + wordsOf(field)) ?? [];
  }

  number(field: ModbusNumber) {
    return numberIn(this.words(field), field);
  }

  /** The number of an integer field. */
  integer(field: ModbusNumber): Result<number> {
    const held = this.number(field);
    return held.ok ? good(Number(held.value.steps)) : held;
  }
}

/** The power of ten of the dial's unit that one step of the total's number is. */
function pow10In(read: ChannelWords, { register }: ModbusProfile, dial: Dial): Result<number> {
  const unit = unitIn(read, register.unit, dial.unit);
  if (!unit.ok) return unit;
  const shift = metricShift(unit.value.unit, dial.unit);
  if (shift === null) {
    const counted = `the device counts in ${unit.value.unit}, the settings say ${dial.unit}`;
    return faulty('register.unit', counted);
  }
  const scale = scaleIn(read, register.pow10);
  if (!scale.ok) return scale;
  const isInteger = /^([ui]|bcd)\d+$/.test(register.type);
  if (scale.value === null && isInteger && register.unit === undefined) return good(dial.pow10);
  return good((scale.value ?? 0) + unit.value.pow10 + shift);
}

function unitIn(
  read: ChannelWords,
  unit: ModbusProfile['register']['unit'],
  ofDial: VolumeUnit,
): Result<{ unit: VolumeUnit; pow10: number }> {
  if (typeof unit !== 'object') return good({ unit: unit ?? ofDial, pow10: 0 });
  return codeIn(read, unit, unit.codes);
}

/** The exponent that the profile or the device gives; null when neither does. */
function scaleIn(
  read: ChannelWords,
  pow10: ModbusProfile['register']['pow10'],
): Result<number | null> {
  if (typeof pow10 !== 'object') return good(pow10 ?? null);
  if ('codes' in pow10) return codeIn(read, pow10, pow10.codes);
  const said = read.integer(pow10);
  if (!said.ok || Math.abs(said.value) <= POW10_LIMIT) return said;
  return faulty('register.unit', `10^${said.value} is no resolution`);
}

function codeIn<T>(
  read: ChannelWords,
  field: ModbusNumber,
  codes: Readonly<Record<string, T>>,
): Result<T> {
  const code = read.integer(field);
  if (!code.ok) return code;
  const meaning = listed(codes, code.value);
  return meaning === undefined
    ? faulty('register.unit', `the code ${code.value} is not in the profile`)
    : good(meaning);
}

function listed<T>(codes: Readonly<Record<string, T>>, code: number): T | undefined {
  return Object.hasOwn(codes, String(code)) ? codes[String(code)] : undefined;
}

/** The device's dial must pass through zero at the same volume as ours. */
function sameCapacity(
  read: ChannelWords,
  { dialDigits }: ModbusProfile,
  pow10: number,
  dial: Dial,
): Result<void> {
  if (dialDigits === undefined) return good(undefined);
  const digits = read.integer(dialDigits);
  if (!digits.ok) return digits;
  if (digits.value + pow10 === dial.digits + dial.pow10) return good(undefined);
  const theirs = `${digits.value} digits of 10^${pow10} ${dial.unit}`;
  const ours = `${dial.digits} of 10^${dial.pow10}`;
  return faulty('register.digits', `the device's dial has ${theirs}, the settings say ${ours}`);
}

function idIn(read: ChannelWords, { id }: ModbusProfile): string | null {
  if (id === undefined) return null;
  if ('words' in id) return textIn(read.words(id), id);
  const number = read.number(id);
  return number.ok ? String(number.value.steps) : null;
}

function flagsIn(
  read: ChannelWords,
  status: readonly ModbusStatus[],
  channel: number,
): Result<readonly DeviceFlag[]> {
  const flags = new Set<DeviceFlag>();
  for (const word of status) {
    const value = read.integer(word);
    if (!value.ok) return value;
    for (const sign of signsOf(word, value.value, channel)) {
      if (sign === 'register.stale') return faulty(sign, 'the device says that it lost its meter');
      flags.add(sign);
    }
  }
  return good([...flags]);
}

function signsOf(word: ModbusStatus, value: number, channel: number): ModbusSign[] {
  const shift = word.bitStep * (channel - 1);
  // Not shifts: `<<` knows 32 bits with a sign, a status may have all 32.
  const bits = Object.entries(word.bits ?? {})
    .filter(([bit]) => Math.floor(value / 2 ** (Number(bit) + shift)) % 2 !== 0)
    .map(([, sign]) => sign);
  const code = listed(word.codes ?? {}, value);
  const any = value === 0 ? undefined : word.nonzero;
  return [...bits, code, any].filter((sign) => sign !== undefined);
}
