// A dial typed blind against its encoder: what agrees, and which mistake is named where it does not.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDial, type OtherRegister, typedDigits } from '../../src/domain/dial-check.ts';

const FINE = { register: 1_234_603, digits: 8, movable: 5 };
const NOBODY: readonly OtherRegister[] = [];
const verdict = (typed: string, told = FINE, others = NOBODY) => compareDial(typed, told, others);

describe('a dial read by eye', () => {
  it.each([
    ['the number itself', '01234603', 'match'],
    ['without the zeros before it', '1234603', 'match'],
    ['looked at before three counts ran', '01234600', 'moved'],
    ['one count ahead: the dial rocked back', '01234604', 'moved'],
    ['two counts ahead: no water runs back so far', '01234605', 'off_by_digit'],
    ['one wrong digit in the middle', '01284603', 'off_by_digit'],
    ['one wrong digit, while water runs', '01284600', 'off_by_digit'],
    ['two neighbours exchanged', '01243603', 'off_by_digit'],
    ['a digit left out', '0124603', 'off_by_digit'],
    ['a digit typed twice', '012334603', 'off_by_digit'],
    ['the last wheel left out', '0123460', 'scale'],
    ['a painted zero typed too', '12346030', 'scale'],
    ['a hundred times too much', '123460312', 'scale'],
    ['nine digits, of which the last is not sent', '012346037', 'ignored_digit_match'],
    ['another number', '77777777', 'mismatch'],
  ])('%s', (_, typed, expected) => {
    expect(verdict(typed)).toMatchObject({ verdict: expected });
  });

  it('the difference, the place, the factor and the digit that is not sent are told', () => {
    expect(verdict('01234600')).toEqual({ verdict: 'moved', difference: 3 });
    expect(verdict('01284603')).toEqual({ verdict: 'off_by_digit', difference: -50_000, place: 4 });
    expect(verdict('0123460')).toMatchObject({ factor: 0.1 });
    expect(verdict('123460312')).toMatchObject({ factor: 100 });
    expect(verdict('012346037')).toMatchObject({ ignoredDigit: '7', difference: 0 });
  });

  it('a dial that passed zero between eye and encoder has moved', () => {
    const told = { register: 2, digits: 8, movable: 5 };
    expect(verdict('99999999', told)).toEqual({ verdict: 'moved', difference: 3 });
    expect(verdict('0', { register: 99_999_999, digits: 8, movable: 0 })).toMatchObject({
      verdict: 'moved',
      difference: -1,
    });
  });

  it('what another meter of the collector shows is that meter', () => {
    const others = [
      { meter: 'SP-2', register: 7_654_300, digits: 8, movable: 40 },
      { meter: 'SP-3', register: 1_284_600, digits: 8, movable: 40 },
    ];
    expect(verdict('07654321', FINE, others)).toMatchObject({
      verdict: 'wrong_meter',
      others: ['SP-2'],
    });
    // Off by one digit here, and exactly there: of eight digits that is no chance.
    expect(verdict('01284603', FINE, others)).toMatchObject({ verdict: 'wrong_meter' });
  });

  it('where a street of four digits shows nearly any number, a slip of the finger is told first', () => {
    const told = { register: 1234, digits: 4, movable: 1 };
    const street = Array.from({ length: 200 }, (_, i) => ({
      ...{ meter: `SP-${i}`, register: (i * 50) % 10_000, digits: 4, movable: 1 },
    }));
    expect(
      verdict('1250', told, [{ meter: 'SP-2', register: 1250, digits: 4, movable: 1 }]),
    ).toEqual(expect.objectContaining({ verdict: 'wrong_meter' }));
    expect(verdict('1250', told, street)).toMatchObject({ verdict: 'wrong_meter' });
    expect(verdict('1200', { ...told, register: 1230 }, street)).toMatchObject({
      verdict: 'off_by_digit',
    });
  });

  it('of a new meter that shows next to nothing, nothing is ten times something', () => {
    expect(verdict('50', { register: 5, digits: 8, movable: 0 })).toMatchObject({
      verdict: 'off_by_digit',
    });
    expect(verdict('0', { register: 0, digits: 8, movable: 0 })).toMatchObject({
      verdict: 'match',
    });
  });

  it('any register agrees with itself, and with itself some counts ago', () => {
    const dials = fc.record({ digits: fc.integer({ min: 3, max: 12 }), seed: fc.nat() });
    fc.assert(
      fc.property(dials, fc.integer({ min: 0, max: 500 }), ({ digits, seed }, moved) => {
        const turn = 10 ** digits;
        const register = (seed * 7_919) % turn;
        const typed = String((register - moved + turn) % turn).padStart(digits, '0');
        const found = compareDial(typed, { register, digits, movable: moved }, []);
        expect(['match', 'moved']).toContain(found.verdict);
      }),
    );
  });

  it('one wrong digit far from the end is never taken for agreement', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (register, place, by) => {
          const digits = [...String(register).padStart(8, '0')];
          digits[place] = String((Number(digits[place]) + by) % 10);
          const found = compareDial(digits.join(''), { register, digits: 8, movable: 5 }, []);
          expect(['off_by_digit', 'scale', 'mismatch']).toContain(found.verdict);
        },
      ),
    );
  });
});

describe('what is typed', () => {
  it.each([
    ['01234603', '01234603'],
    [' 0123 4603 ', '01234603'],
    ['123,460.3', '1234603'],
    ['', null],
    ['   ', null],
    ['12a4', null],
    ['-5', null],
    ['1'.repeat(16), null],
    [1234, null],
    [undefined, null],
  ])('%j is %j', (typed, digits) => {
    expect(typedDigits(typed)).toBe(digits);
  });
});
