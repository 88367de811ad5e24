// Every type in every order of words and bytes, against an independent writer.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberIn, ordersOf, textIn } from '../../src/codec/modbus-words.ts';
import type { ModbusOrder, ModbusType } from '../../src/domain/profile.ts';

type Write = (view: DataView, number: number) => void;

const WRITERS: Readonly<Record<Exclude<ModbusType, 'whole-nano'>, readonly [number, Write]>> = {
  u16: [2, (view, n) => view.setUint16(0, n)],
  i16: [2, (view, n) => view.setInt16(0, n)],
  u32: [4, (view, n) => view.setUint32(0, n)],
  i32: [4, (view, n) => view.setInt32(0, n)],
  u64: [8, (view, n) => view.setBigUint64(0, BigInt(n))],
  i64: [8, (view, n) => view.setBigInt64(0, BigInt(n))],
  bcd16: [2, setDigits],
  bcd32: [4, setDigits],
  bcd64: [8, setDigits],
  f32: [4, (view, n) => view.setFloat32(0, n)],
  f64: [8, (view, n) => view.setFloat64(0, n)],
};

/** Two decimal digits in each byte, the highest first. */
function setDigits(view: DataView, number: number): void {
  let left = BigInt(number);
  for (let at = view.byteLength - 1; at >= 0; at -= 1, left /= 100n) {
    view.setUint8(at, Number((left / 10n) % 10n) * 16 + Number(left % 10n));
  }
}

/** The letters of an order are places of bytes, A the highest: so an answer is written by the letters alone. */
function inOrder(bytes: Uint8Array, order: ModbusOrder): number[] {
  const wire = [...order].map((letter) => bytes[letter.charCodeAt(0) - 65] ?? 0);
  return Array.from({ length: wire.length / 2 }, (_, i) => {
    const [high = 0, low = 0] = wire.slice(i * 2, i * 2 + 2);
    return high * 256 + low;
  });
}

function written(type: keyof typeof WRITERS, order: ModbusOrder, number: number): number[] {
  const [size, write] = WRITERS[type];
  const view = new DataView(new ArrayBuffer(size));
  write(view, number);
  return inOrder(new Uint8Array(view.buffer), order);
}

/** The number held, as the nearest double: exact for all these types. */
function held(words: readonly number[], type: ModbusType, order: ModbusOrder): number | string {
  const read = numberIn(words, { type, order });
  if (!read.ok) return read.fault.code;
  const { steps, pow2 } = read.value;
  // Two factors, because 2^-1074 times a whole would pass through 0 when taken apart further.
  return pow2 < -1000 ? Number(steps) * 2 ** -1000 * 2 ** (pow2 + 1000) : Number(steps) * 2 ** pow2;
}

const NUMBERS: Readonly<Record<keyof typeof WRITERS, fc.Arbitrary<number>>> = {
  u16: fc.integer({ min: 0, max: 0xffff }),
  i16: fc.integer({ min: -0x8000, max: 0x7fff }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  u64: fc.maxSafeNat(),
  i64: fc.maxSafeInteger(),
  bcd16: fc.nat(9_999),
  bcd32: fc.nat(99_999_999),
  bcd64: fc.maxSafeNat(),
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  f64: fc.double({ noNaN: true, noDefaultInfinity: true }),
};

const CASES = (Object.keys(WRITERS) as (keyof typeof WRITERS)[]).flatMap((type) =>
  ordersOf(type).map((order) => ({ type, order })),
);

describe('Modbus words', () => {
  it.each(CASES)('every $type comes back from its words in the order $order', ({ type, order }) => {
    fc.assert(
      fc.property(NUMBERS[type], (number) => {
        // 0 and -0 are one volume.
        expect(held(written(type, order, number), type, order) === number).toBe(true);
      }),
    );
  });

  it.each(ordersOf('whole-nano'))('whole and billionths come back in the order %s', (order) => {
    fc.assert(
      fc.property(NUMBERS.i32, fc.nat(999_999_999), (whole, nano) => {
        const words = [
          ...written('i32', order, whole),
          ...written('i32', order, whole < 0 ? -nano : nano),
        ];
        const steps = BigInt(whole) * 1_000_000_000n + BigInt(whole < 0 ? -nano : nano);
        expect(numberIn(words, { type: 'whole-nano', order })).toEqual({
          ok: true,
          value: { steps, pow2: 0, pow10: -9, rounded: false },
        });
      }),
    );
  });

  it('12345678 is 00BC 614E with the high word first, and the vector 1E 85 0B 3F is 0.545', () => {
    expect(held([0x00bc, 0x614e], 'u32', 'ABCD')).toBe(12_345_678);
    expect(held([0x614e, 0x00bc], 'u32', 'CDAB')).toBe(12_345_678);
    expect(held([0xbc00, 0x4e61], 'u32', 'BADC')).toBe(12_345_678);
    expect(held([0x4e61, 0xbc00], 'u32', 'DCBA')).toBe(12_345_678);
    expect(held([0x1e85, 0x0b3f], 'f32', 'DCBA')).toBeCloseTo(0.545, 7);
  });

  it('1.0 as a double in its four orders', () => {
    expect(held([0x3ff0, 0, 0, 0], 'f64', 'ABCDEFGH')).toBe(1);
    expect(held([0, 0, 0, 0x3ff0], 'f64', 'GHEFCDAB')).toBe(1);
    expect(held([0xf03f, 0, 0, 0], 'f64', 'BADCFEHG')).toBe(1);
    expect(held([0, 0, 0, 0xf03f], 'f64', 'HGFEDCBA')).toBe(1);
  });

  it.each([
    ['a float that is no number', [0x7fc0, 0], 'f32', 'ABCD'],
    ['an infinite float', [0x7f80, 0], 'f32', 'ABCD'],
    ['a float that is minus infinite', [0xff80, 0], 'f32', 'ABCD'],
    ['BCD of a device that has no number', [0xffff, 0xffff], 'bcd32', 'ABCD'],
    ['BCD with a wheel between two digits', [0x0012, 0x3a56], 'bcd32', 'ABCD'],
    ['BCD with a sign', [0xf012, 0x3456], 'bcd32', 'ABCD'],
    ['a double that is no number', [0x7ff8, 0, 0, 1], 'f64', 'ABCDEFGH'],
    ['an infinite double', [0x7ff0, 0, 0, 0], 'f64', 'ABCDEFGH'],
    ['a whole number of billionths', [0, 1, 0x3b9a, 0xca00], 'whole-nano', 'ABCD'],
    ['a fraction of the other sign', [0, 1, 0xffff, 0xffff], 'whole-nano', 'ABCD'],
  ] as const)('%s is refused', (_what, words, type, order) => {
    expect(held(words, type, order)).toBe('register.precision');
  });

  it.each([
    ['no words', []],
    ['one word of two', [1]],
    ['three words', [0, 0, 1]],
    ['a word of 17 bits', [0, 65_536]],
    ['a negative word', [0, -1]],
    ['a fraction', [0, 0.5]],
    ['not a number', [0, Number.NaN]],
  ])('%s is refused', (_what, words) => {
    expect(held(words, 'u32', 'ABCD')).toBe('modbus.unexpected');
  });

  it('a text has one character in each word, or two', () => {
    const ascii = [...'SN-10024'].map((letter) => letter.charCodeAt(0));
    const pairs = [0x534e, 0x2d31, 0x3030, 0x3234];
    expect(textIn([...ascii, 0, 0], { type: 'ascii' })).toBe('SN-10024');
    expect(textIn([0x20, 0x20, ...ascii], { type: 'ascii' })).toBe('SN-10024');
    expect(textIn([...pairs, 0], { type: 'ascii-pair' })).toBe('SN-10024');
  });

  it('a text that is blank, broken or not text is no identification', () => {
    for (const words of [
      [],
      [0, 0],
      [0x20],
      [0x31, 0, 0x32],
      [0x31, 0x07],
      [0x3132],
      [0x31, 0xe9],
    ]) {
      expect(textIn(words, { type: 'ascii' })).toBe(null);
    }
    expect(textIn([0x3100, 0x3200], { type: 'ascii-pair' })).toBe(null);
  });
});
