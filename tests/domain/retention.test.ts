// Things age by time that was lived: a wall clock that jumps makes nothing old.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agedSince, agedTo } from '../../src/domain/retention.ts';
import { HOUR_MS } from '../../src/domain/units.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * HOUR_MS;

/** Looks once an hour; `errorAt` says how wrong the wall clock is at each. */
function looks(hours: number, errorAt: (hour: number) => number): number[] {
  let kept: number | null = null;
  return Array.from({ length: hours }, (_, hour) => {
    const aged = agedTo(kept, NOW + hour * HOUR_MS + errorAt(hour), HOUR_MS);
    kept = agedSince(kept, aged);
    return aged;
  });
}

it('by a clock that is right it goes with the clock', () => {
  expect(looks(100, () => 0).at(-1)).toBe(NOW + 99 * HOUR_MS);
});

it('a clock a year ahead for an hour makes nothing older than the hour did', () => {
  const aged = looks(100, (hour) => (hour === 50 ? 365 * DAY : 0));
  for (const [hour, at] of aged.entries()) {
    expect(at - (NOW + hour * HOUR_MS)).toBeLessThan(HOUR_MS / 10);
  }
});

it('a clock in 1970 for a while ages nothing, and does not take retention back for years', () => {
  const aged = looks(100, (hour) => (hour > 20 && hour < 40 ? -NOW : 0));
  expect(Math.max(...aged.slice(21, 40))).toBeLessThan(NOW / 2);
  expect(aged.at(-1)).toBeGreaterThan(NOW + 79 * HOUR_MS);
});

it('a month off is made up for by an hour a day, not at once', () => {
  const aged = looks(200, (hour) => (hour > 20 ? 30 * DAY : 0));
  expect((aged.at(-1) ?? 0) - (aged[20] ?? 0)).toBe(179 * HOUR_MS * (25 / 24));
});

it('whatever the clock does, retention never passes it, and by its own never goes faster than life by more than an hour a day', () => {
  const error = fc.oneof(
    fc.constant(0),
    fc.integer({ min: -500, max: 500 }).map((d) => d * DAY),
  );
  fc.assert(
    fc.property(fc.array(error, { minLength: 2, maxLength: 60 }), (errors) => {
      const aged = looks(errors.length, (hour) => errors[hour] ?? 0);
      const first = NOW + (errors[0] ?? 0);
      for (const [hour, at] of aged.entries()) {
        expect(at).toBeLessThanOrEqual(NOW + hour * HOUR_MS + (errors[hour] ?? 0));
        expect(at - first).toBeLessThanOrEqual(hour * HOUR_MS * (25 / 24));
      }
    }),
  );
});
