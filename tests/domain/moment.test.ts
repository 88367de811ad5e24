// How much time passed between two readings, by clocks of which some are believed.

import { describe, expect, it } from 'vitest';
import { elapsedSince, firstClock } from '../../src/domain/moment.ts';
import { MINUTE, run, T0 } from './meter-run.ts';

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

  it('is at most 400 days, where a clock far behind was believed because nobody could tell', () => {
    const before = firstClock(moment('a', NOW - 2_000 * DAY, null));
    expect(elapsedSince(before, moment('b', NOW, true))).toBe(400 * DAY);
  });
});

describe('an installation that begins under a clock in 1970', () => {
  const MONO = 5_000_000;
  const quarter = (i: number, at: number, read: number, synced: boolean) => {
    return { at, read, mono: MONO + i * 15 * MINUTE, boot: 'a', synced };
  };
  const lived = run([
    ...[0, 1].map((i) => quarter(i, i * 5 * MINUTE, 100 + i, false)),
    ...[2, 3, 4, 5, 6, 7].map((i) => quarter(i, T0 + i * 15 * MINUTE, 101, true)),
  ]);

  it('began when its first reading came by the right clock', () => {
    expect(lived.state.initial).toMatchObject({ seq: 0, read: 100, at: T0 });
  });

  it('has not rested since 1970', () => {
    expect(lived.events.map(({ code }) => code)).toEqual([]);
  });
});
