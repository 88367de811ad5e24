// The rules by which a total becomes counts: nothing is rounded in silence.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsOf } from '../../src/codec/modbus-counts.ts';
import { numberIn } from '../../src/codec/modbus-words.ts';
import type { Sends } from '../../src/domain/profile.ts';

function wordsOfFloat(number: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, number);
  return [view.getUint16(0), view.getUint16(2)];
}

function wordsOfDouble(number: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return [0, 2, 4, 6].map((at) => view.getUint16(at));
}

interface Dial {
  readonly digits: number;
  readonly pow10: number;
}

/** The counts of a total, or the fault's code. */
function counts(
  words: readonly number[],
  type: 'f32' | 'f64' | 'u32' | 'i32' | 'whole-nano',
  dial: Dial,
  more: { pow10?: number; sends?: Sends } = {},
): number | string {
  const order = type === 'f64' ? 'ABCDEFGH' : 'ABCD';
  const held = numberIn(words, { type, order });
  if (!held.ok) return held.fault.code;
  const read = countsOf(held.value, more.pow10 ?? 0, dial, more.sends ?? 'all');
  return read.ok ? read.value : read.fault.code;
}

const TENTHS = { digits: 8, pow10: -1 };

describe('a float total', () => {
  it('every count that a dial of 7 digits can show comes back from a float of 32 bits', () => {
    fc.assert(
      fc.property(fc.nat(9_999_999), fc.integer({ min: -6, max: 2 }), (shown, pow10) => {
        // A quotient of two exact doubles is the nearest double; so no count is spoilt before it is a float.
        const volume = pow10 < 0 ? shown / 10 ** -pow10 : shown * 10 ** pow10;
        expect(counts(wordsOfFloat(volume), 'f32', { digits: 7, pow10 })).toBe(shown);
      }),
      { numRuns: 2_000 },
    );
  });

  it('every count that a dial of 12 digits can show comes back from a double', () => {
    fc.assert(
      fc.property(
        fc.nat(999_999_999),
        fc.nat(999),
        fc.integer({ min: -6, max: 2 }),
        (a, b, pow10) => {
          const shown = a * 1_000 + b;
          const volume = pow10 < 0 ? shown / 10 ** -pow10 : shown * 10 ** pow10;
          expect(counts(wordsOfDouble(volume), 'f64', { digits: 12, pow10 })).toBe(shown);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('between two counts it shows the lower one, however near the next is, unless the float cannot tell them apart', () => {
    expect(counts(wordsOfFloat(12.38), 'f32', TENTHS)).toBe(123);
    expect(counts(wordsOfDouble(12.399999), 'f64', TENTHS)).toBe(123);
    expect(counts(wordsOfFloat(12.4), 'f32', TENTHS)).toBe(124);
    // 12.4 is held as 12.39999961853; one float lower is two steps below the count.
    const [high = 0, low = 0] = wordsOfFloat(12.4);
    expect(counts([high, low - 1], 'f32', TENTHS)).toBe(123);
  });

  it('a device that cuts off instead of rounding loses no count: 1E 85 0B 3F is 0.545', () => {
    expect(counts([0x3f0b, 0x851e], 'f32', { digits: 7, pow10: -3 })).toBe(545);
    expect(counts([0x3f0b, 0x851d], 'f32', { digits: 7, pow10: -3 })).toBe(544);
  });

  it('is refused as soon as it skips counts, and never before', () => {
    // From 2^20 on a float of 32 bits has steps of 1/8.
    expect(counts(wordsOfFloat(2 ** 20 - 0.0625), 'f32', TENTHS)).toBe(10_485_759);
    expect(counts(wordsOfFloat(2 ** 20), 'f32', TENTHS)).toBe('register.precision');
    expect(counts(wordsOfFloat(2 ** 24 - 1), 'f32', { digits: 8, pow10: 0 })).toBe(16_777_215);
    expect(counts(wordsOfFloat(2 ** 24), 'f32', { digits: 8, pow10: 0 })).toBe(
      'register.precision',
    );
  });

  it('is never more than one of its steps above what it holds, and never a count below', () => {
    const any = fc.float({ min: 0, max: Math.fround(1e6), noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(any, (volume) => {
        const shown = counts(wordsOfFloat(volume), 'f32', { digits: 7, pow10: -1 });
        if (typeof shown === 'string') {
          expect(['register.precision', 'register.digits']).toContain(shown);
          return;
        }
        const step = 2 ** (Math.floor(Math.log2(volume || 1)) - 23);
        expect(shown / 10 - volume).toBeLessThan(step * 1.001);
        expect(volume - shown / 10).toBeLessThan(0.1 * 1.001);
      }),
    );
  });

  it('never falls while the float rises', () => {
    const bits = fc.integer({ min: 0x3a00_0000, max: 0x4970_0000 });
    fc.assert(
      fc.property(bits, fc.nat(20), (at, more) => {
        const [lower, upper] = [at, at + more].map((n) =>
          counts([Math.floor(n / 65_536), n % 65_536], 'f32', TENTHS),
        );
        expect(Number(upper)).toBeGreaterThanOrEqual(Number(lower));
      }),
    );
  });

  it.each([
    ['a negative one', wordsOfFloat(-0.25)],
    ['one that is too small for a volume', wordsOfFloat(1e-30)],
    ['the smallest there is', [0, 1]],
    ['one in the wrong order', wordsOfFloat(1234.5).toReversed()],
    ['the greatest there is', [0x7f7f, 0xffff]],
  ])('%s is refused', (_what, words) => {
    expect(counts(words, 'f32', TENTHS)).toBe('register.precision');
  });

  it('zero, and minus zero, are a dial at zero', () => {
    expect(counts(wordsOfFloat(0), 'f32', TENTHS)).toBe(0);
    expect(counts(wordsOfFloat(-0), 'f32', TENTHS)).toBe(0);
    expect(counts(wordsOfDouble(0), 'f64', TENTHS)).toBe(0);
  });
});

describe('a whole total', () => {
  it('finer than the dial shows what the dial has passed, coarser is refused', () => {
    expect(counts([0, 1239], 'u32', TENTHS, { pow10: -2 })).toBe(123);
    expect(counts([0, 1239], 'u32', TENTHS, { pow10: -1 })).toBe(1239);
    expect(counts([0, 1239], 'u32', TENTHS, { pow10: 0 })).toBe('register.precision');
  });

  it('with billionths shows what the dial has passed', () => {
    expect(counts([0, 12, 0x3b9a, 0xc9ff], 'whole-nano', TENTHS)).toBe(129);
    expect(counts([0, 13, 0, 0], 'whole-nano', TENTHS)).toBe(130);
  });

  it('beyond the dial is refused, or has its last digits taken where the device counts further', () => {
    const dial = { digits: 4, pow10: 0 };
    expect(counts([0, 9999], 'u32', dial)).toBe(9999);
    expect(counts([0, 10_000], 'u32', dial)).toBe('register.digits');
    expect(counts([0, 10_000], 'u32', dial, { sends: 'right-most' })).toBe(0);
    expect(counts([1, 0], 'u32', dial, { sends: 'right-most' })).toBe(5536);
    expect(counts([1, 0], 'u32', dial, { sends: 'left-most' })).toBe('register.digits');
  });

  it('below zero is refused, also where last digits are taken', () => {
    expect(counts([0xffff, 0xffff], 'i32', TENTHS, { pow10: -1 })).toBe('register.precision');
    expect(counts([0xffff, 0xffff], 'i32', TENTHS, { pow10: -1, sends: 'right-most' })).toBe(
      'register.precision',
    );
  });
});
