// What Modbus words mean on a dial.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsOf, wordsOf } from '../../src/codec/modbus-words.ts';

const HIGH_FIRST = { type: 'u32', words: 'high-first' } as const;
const LOW_FIRST = { type: 'u32', words: 'low-first' } as const;
const ONE_WORD = { type: 'u16', words: 'high-first' } as const;

describe('Modbus words', () => {
  it('12345678 is 00BC 614E high word first and the reverse low word first', () => {
    expect(countsOf([0x00bc, 0x614e], HIGH_FIRST, { digits: 8 })).toEqual({
      ok: true,
      value: 12_345_678,
    });
    expect(countsOf([0x614e, 0x00bc], LOW_FIRST, { digits: 8 })).toEqual({
      ok: true,
      value: 12_345_678,
    });
  });

  it('a number of 16 bits is one word', () => {
    expect(wordsOf(ONE_WORD)).toBe(1);
    expect(wordsOf(HIGH_FIRST)).toBe(2);
    expect(countsOf([9999], ONE_WORD, { digits: 4 })).toEqual({ ok: true, value: 9999 });
  });

  it('a number the dial cannot show is refused, the last it can show is not', () => {
    expect(countsOf([10_000], ONE_WORD, { digits: 4 })).toMatchObject({
      fault: { code: 'register.digits' },
    });
    expect(countsOf([0x05f5, 0xe100], HIGH_FIRST, { digits: 8 })).toMatchObject({
      fault: { code: 'register.digits' },
    });
    expect(countsOf([0x05f5, 0xe0ff], HIGH_FIRST, { digits: 8 })).toEqual({
      ok: true,
      value: 99_999_999,
    });
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
    expect(countsOf(words, HIGH_FIRST, { digits: 8 })).toMatchObject({
      fault: { code: 'modbus.unexpected' },
    });
  });

  it('every number of 32 bits comes back from its words in either order', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (register) => {
        const words = [Math.floor(register / 65_536), register % 65_536];
        expect(countsOf(words, HIGH_FIRST, { digits: 10 })).toEqual({ ok: true, value: register });
        expect(countsOf(words.toReversed(), LOW_FIRST, { digits: 10 })).toEqual({
          ok: true,
          value: register,
        });
      }),
    );
  });
});
