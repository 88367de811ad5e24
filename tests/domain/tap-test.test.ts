// A tap opened for a while: whose counts rose, what one dial cannot show, and what a neighbour does anyway.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeTap, type TapReading, usualRate } from '../../src/domain/tap-test.ts';
import type { Dial } from '../../src/domain/units.ts';

const FINE: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
const COARSE: Dial = { digits: 4, unit: 'ft3', pow10: 2 };
const MINUTES = 2 * 60_000;

const moved = (meter: string, by: number, more: Partial<TapReading> = {}): TapReading => ({
  ...{ meter, digits: 8, usualPerH: 0 },
  before: { read: 1_000, at: 0 },
  after: { read: 1_000 + by, at: MINUTES },
  ...more,
});

describe('a tap test', () => {
  it.each([
    ['five counts here, none elsewhere', 5, [0, 0], 'rose'],
    ['one count here', 1, [0], 'rose'],
    ['none here, five on one other', 0, [5, 0], 'wrong_meter'],
    ['the house draws a count here, the tap runs through one other', 1, [250, 0], 'wrong_meter'],
    ['none here, five on two others', 0, [5, 6], 'several'],
    ['five here and five elsewhere', 5, [5], 'several'],
    ['five here and two elsewhere', 5, [2], 'rose'],
    ['nobody’s', 0, [0, 1], 'none'],
  ])('%s', (_, own, others, verdict) => {
    const rest = others.map((by, i) => moved(`SP-${i}`, by));
    expect(judgeTap(moved('SP-1', own), rest, FINE).verdict).toBe(verdict);
  });

  it('a neighbour that draws as much as it often does is no rival', () => {
    const shower = moved('SP-2', 6, { usualPerH: 200 });
    expect(judgeTap(moved('SP-1', 6), [shower], FINE).verdict).toBe('rose');
    const quiet = moved('SP-2', 6, { usualPerH: 20 });
    expect(judgeTap(moved('SP-1', 6), [quiet], FINE)).toMatchObject({
      verdict: 'several',
      suspects: ['SP-2'],
      others: [{ meter: 'SP-2', counts: 6 }],
    });
  });

  it('a count of 748 gallons does not come in two minutes, and that is said', () => {
    const still = moved('SP-1', 0, { digits: 4 });
    expect(judgeTap(still, [], COARSE).verdict).toBe('below_resolution');
    expect(judgeTap(moved('SP-1', 1, { digits: 4 }), [], COARSE).verdict).toBe('rose');
    // Two hours of an open tap would have shown.
    const long = moved('SP-1', 0, { digits: 4, after: { read: 1_000, at: 60 * MINUTES } });
    expect(judgeTap(long, [], COARSE).verdict).toBe('none');
  });

  it('a dial that passes zero meanwhile has risen', () => {
    const over = moved('SP-1', 0, {
      before: { read: 99_999_998, at: 0 },
      after: { read: 3, at: MINUTES },
    });
    expect(judgeTap(over, [], FINE)).toMatchObject({ verdict: 'rose', counts: 5 });
  });

  it('water that was measured must make its counts, to a third', () => {
    // 5 gallons are 6.7 counts of 0.1 ft3.
    const drawn = { amount: 5, unit: 'gal' } as const;
    const of = (counts: number) => judgeTap(moved('SP-1', counts), [], FINE, drawn).drawn?.agrees;
    expect([1, 4, 7, 9, 30, 67].map(of)).toEqual([false, true, true, true, false, false]);
  });

  it('whatever moves, but no tenfold, what is told of the others is what they did', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 39 }), { maxLength: 9 }), (steps) => {
        const others = steps.map((by, i) => moved(`SP-${i}`, by));
        const { others: told, suspects, verdict } = judgeTap(moved('me', 4), others, FINE);
        expect(told.map(({ counts }) => counts)).toEqual(steps.filter((by) => by !== 0));
        expect(verdict).toBe(suspects.length === 0 ? 'rose' : 'several');
      }),
    );
  });
});

describe('what a meter usually does', () => {
  const HOUR = 3_600_000;
  it('is what it exceeds in a twentieth of the time, and nothing where it mostly stands still', () => {
    const every = Array.from({ length: 100 }, (_, i) => ({
      ...{ fromAt: i * HOUR, toAt: (i + 1) * HOUR, counts: i },
    }));
    expect(usualRate(every, 0, 100 * HOUR)).toBe(94);
    expect(usualRate(every.slice(97), 0, 100 * HOUR)).toBe(0);
    expect(usualRate([], 0, HOUR)).toBe(0);
  });
});
