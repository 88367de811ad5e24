// Modbus words to the numbers and texts they hold, exactly: every type, every word and byte order.

import type { Result } from '../domain/fault.ts';
import { faulty, good } from '../domain/fault.ts';
import type { ModbusNumber, ModbusOrder, ModbusText, ModbusType } from '../domain/profile.ts';

/** How many Modbus words a number of each type takes. */
export const WORDS_OF: Readonly<Record<ModbusType, number>> = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  u64: 4,
  i64: 4,
  bcd16: 1,
  bcd32: 2,
  bcd64: 4,
  f32: 2,
  f64: 4,
  'whole-nano': 4,
};

/** The orders in which the bytes of a type may come, the usual one (highest byte first) at the beginning. */
export function ordersOf(type: ModbusType): readonly ModbusOrder[] {
  if (WORDS_OF[type] === 1) return ['AB', 'BA'];
  if (WORDS_OF[type] === 4 && type !== 'whole-nano')
    return ['ABCDEFGH', 'GHEFCDAB', 'BADCFEHG', 'HGFEDCBA'];
  return ['ABCD', 'CDAB', 'BADC', 'DCBA'];
}

/**
 * A number exactly as it is held: `steps` x 2^`pow2` x 10^`pow10`. One step is the least by which it can change; where
 * it is `rounded` (a float) the number meant may lie up to a step beside it.
 */
export interface HeldNumber {
  readonly steps: bigint;
  readonly pow2: number;
  readonly pow10: number;
  readonly rounded: boolean;
}

const WORD_MAX = 0xffff;
const NANO = 1_000_000_000;

/**
 * The number in `words` (16 bits each, in address order). `modbus.unexpected` when they are not as many words as the type
 * takes, `register.precision` when they hold no number (NaN, infinite, a fraction of a whole or more, 4 bits that are no digit).
 */
export function numberIn(
  words: readonly number[],
  { type, order }: Pick<ModbusNumber, 'type' | 'order'>,
): Result<HeldNumber> {
  if (words.length !== WORDS_OF[type]) {
    return faulty('modbus.unexpected', `${words.length} words for one ${type}`);
  }
  if (!words.every(isWord)) return faulty('modbus.unexpected', 'a word that is not 16 bits');
  const bytes = highFirst(words, order);
  switch (type) {
    case 'u16':
      return integer(bytes.getUint16(0));
    case 'i16':
      return integer(bytes.getInt16(0));
    case 'u32':
      return integer(bytes.getUint32(0));
    case 'i32':
      return integer(bytes.getInt32(0));
    case 'u64':
      return integer(bytes.getBigUint64(0));
    case 'i64':
      return integer(bytes.getBigInt64(0));
    case 'bcd16':
    case 'bcd32':
    case 'bcd64':
      return decimal(bytes);
    case 'f32':
      return float(BigInt(bytes.getUint32(0)), { exponentBits: 8, fractionBits: 23 });
    case 'whole-nano':
      return wholeAndNano(words, order);
    case 'f64':
      return float(bytes.getBigUint64(0), { exponentBits: 11, fractionBits: 52 });
  }
}

/**
 * The text in `words`, without the zeros and blanks around it. Null when nothing is left, or when something in it is not
 * a printable character: an identification is whole or none.
 */
export function textIn(
  words: readonly number[],
  { type }: Pick<ModbusText, 'type'>,
): string | null {
  const bytes = words.flatMap((word) =>
    type === 'ascii' && word <= 0xff ? [word] : [word >> 8, word & 0xff],
  );
  // A word of `ascii` with something in its high byte is not one character.
  if (type === 'ascii' && bytes.length !== words.length) return null;
  const text = String.fromCharCode(...bytes).replace(/^[\0 ]+|[\0 ]+$/g, '');
  return /^[\x21-\x7e]+$/.test(text) ? text : null;
}

function isWord(word: number): boolean {
  return Number.isInteger(word) && word >= 0 && word <= WORD_MAX;
}

/** The bytes of one number, the highest first, in whichever order they came. */
function highFirst(words: readonly number[], order: ModbusOrder): DataView {
  const [first = 'A', second = 'B'] = order;
  // A stands in the first word unless the words come reversed, and at its even place unless the bytes do.
  const bytesSwapped = first > second;
  const wordsReversed = order.length > 2 && !order.slice(0, 2).includes('A');
  const bytes = new DataView(new ArrayBuffer(words.length * 2));
  words.forEach((word, i) => {
    const place = wordsReversed ? words.length - 1 - i : i;
    bytes.setUint16(place * 2, word, bytesSwapped);
  });
  return bytes;
}

function integer(steps: number | bigint): Result<HeldNumber> {
  return good({ steps: BigInt(steps), pow2: 0, pow10: 0, rounded: false });
}

/** A digit in each 4 bits. Devices say with A to F that they have no number. */
function decimal(bytes: DataView): Result<HeldNumber> {
  const digits = Array.from({ length: bytes.byteLength }, (_, i) =>
    bytes.getUint8(i).toString(16).padStart(2, '0'),
  ).join('');
  if (/^[0-9]+$/.test(digits)) return integer(BigInt(digits));
  return faulty('register.precision', `${digits} is no number in BCD`);
}

/** Two signed 32-bit numbers: whole units, then 10^-9 of one. */
function wholeAndNano(words: readonly number[], order: ModbusOrder): Result<HeldNumber> {
  const whole = highFirst(words.slice(0, 2), order).getInt32(0);
  const nano = highFirst(words.slice(2), order).getInt32(0);
  if (Math.abs(nano) >= NANO || whole * nano < 0) {
    return faulty('register.precision', `${whole} and ${nano} billionths are not one number`);
  }
  const steps = BigInt(whole) * BigInt(NANO) + BigInt(nano);
  return good({ steps, pow2: 0, pow10: -9, rounded: false });
}

/** IEEE 754, binary32 or binary64, taken apart so that no arithmetic rounds it. */
function float(
  bits: bigint,
  form: { readonly exponentBits: number; readonly fractionBits: number },
): Result<HeldNumber> {
  const { exponentBits, fractionBits } = form;
  const highest = 2 ** exponentBits - 1;
  const exponent = Number(bits >> BigInt(fractionBits)) & highest;
  if (exponent === highest) return faulty('register.precision', 'not a number, or infinite');
  const fraction = BigInt.asUintN(fractionBits, bits);
  // The smallest numbers have no hidden bit and the exponent of the first that do.
  const size = exponent === 0 ? fraction : fraction + (1n << BigInt(fractionBits));
  const pow2 = Math.max(exponent, 1) - (highest >> 1) - fractionBits;
  const negative = bits >> BigInt(exponentBits + fractionBits) === 1n;
  return good({ steps: negative ? -size : size, pow2, pow10: 0, rounded: true });
}
