// How much time passed between two readings, by clocks of which some are believed.

import { describe, expect, it } from 'vitest';
import { elapsedSince, firstClock } from '../../src/domain/moment.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * 3_600_000;
const moment = (boot: string, at: number, synced: boolean | null) => ({
  ...{ boot, at, synced, mono: 1_000 },
});

describe('the time since the last reading', () => {
  it('is that of the wall over a restart, where the wall was believed', () => {
    const before = firstClock(moment('a', NOW - DAY, true));
    expect(elapsedSince(before, moment('b', NOW, true))).toBe(DAY);
  });

  it('is not the 56 years since a clock that was in 1970, for no flow would be doubted after them', () => {
    const before = firstClock(moment('a', DAY, false));
    expect(elapsedSince(before, moment('b', NOW, true))).toBeLessThanOrEqual(30 * DAY);
  });

  it('is at most 400 days, where a clock in 1970 was believed because nobody could tell', () => {
    const before = firstClock(moment('a', DAY, null));
    expect(elapsedSince(before, moment('b', NOW, true))).toBe(400 * DAY);
  });
});
