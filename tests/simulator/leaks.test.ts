// Homes with labelled leaks: the same from the same seed, and what their labels say is in their water.

import { describe, expect, it } from 'vitest';
import { type Draw, HOUR_MS, LEAK_KINDS, readings } from '../../simulator/leaks/labelled.ts';
import { leakOf } from '../../simulator/leaks/leak.ts';
import { streetHome } from '../../simulator/leaks/street-home.ts';
import { townHome } from '../../simulator/leaks/town-home.ts';
import { Random } from '../../simulator/random.ts';

const START = Date.UTC(2026, 4, 1);
const HOW = { pollMs: 900_000, gallonsPerCount: 0.748, lateMs: 10_000, missed: 0.01 };

const gallons = (draws: readonly Draw[]) =>
  draws.reduce((sum, { start, end, gph }) => sum + (gph * (end - start)) / HOUR_MS, 0);

describe('homes with labelled leaks', () => {
  it.each([streetHome, townHome])(
    '%o are the same from the same seed and never run back',
    (build) => {
      const read = (seed: string) => readings(build(seed, START, 20), HOW, new Random('r'));
      const one = read('7');
      expect(read('7')).toEqual(one);
      expect(read('8')).not.toEqual(one);
      for (let i = 1; i < one.length; i++) {
        expect(one[i]?.count).toBeGreaterThanOrEqual(one[i - 1]?.count ?? 0);
      }
      expect(one.length).toBeGreaterThan(20 * 96 * 0.95);
    },
  );

  it.each(LEAK_KINDS)('a leak of the kind %s runs as fast as its label says', (kind) => {
    const { label, draws } = leakOf(kind, START, START + 30 * 24 * HOUR_MS, new Random(kind));
    const hours = (label.end - label.start) / HOUR_MS;
    expect(gallons(draws) / hours).toBeCloseTo(label.gph, 6);
    expect(draws.every(({ start, end }) => start >= label.start && end <= label.end)).toBe(true);
  });

  it('a home draws about what homes draw', () => {
    for (const build of [streetHome, townHome]) {
      const days = 30;
      const daily = Array.from({ length: 30 }, (_, i) => {
        const home = build(`volume ${i}`, START, days, () => ({ labels: [], draws: [] }));
        return gallons(home.draws) / days;
      });
      const mean = daily.reduce((sum, one) => sum + one, 0) / daily.length;
      expect(mean).toBeGreaterThan(70);
      expect(mean).toBeLessThan(700);
    }
  });
});
