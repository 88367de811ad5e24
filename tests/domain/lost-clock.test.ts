// A wall clock that has lost the time: nothing is told of hours until it is known again, and nothing is taken back or lost for it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conserve, newest } from '../../src/domain/conservation.ts';
import { CLOCK_EPOCH_MS } from '../../src/domain/moment.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import { gapsOf, hoursOf, MINUTE, type Poll, RULES, run, T0 } from './meter-run.ts';

const QUARTER = 15 * MINUTE;
const DAY = 24 * HOUR_MS;
/** The wall of a clock without a battery stands so far behind. */
const LOST = -T0;

/** Each quarter of an hour from `from` until `to` hours of true time; five counts each. */
function quarters(from: number, to: number, more: Partial<Poll> & { ahead?: number }): Poll[] {
  const { ahead = 0, ...rest } = more;
  return Array.from({ length: (to - from) * 4 }, (_, i) => {
    const mono = from * HOUR_MS + i * QUARTER + 2_000;
    return { at: T0 + mono + ahead, mono, read: 5 * (from * 4 + i), synced: true, ...rest };
  });
}

const proved = (entries: Parameters<typeof conserve>[1]) =>
  conserve(1, entries, 0, RULES.dial).problem;

describe('a clock in 1970', () => {
  const before = quarters(0, 3, { boot: 'a' });
  const lost = quarters(3, 9, { boot: 'b', synced: false, ahead: LOST });

  it('closes no hour and takes none back, however long it lasts and whoever could tell', () => {
    const told = run(before).entries.length;
    for (const synced of [false, null, true]) {
      const lived = run([...before, ...lost.map((poll) => ({ ...poll, synced }))]);
      expect(lived.entries).toHaveLength(told);
    }
  });

  it('once it is put right, the hours read meanwhile are told in their own time, and no hour is missing for it', () => {
    const { entries } = run([...before, ...lost, ...quarters(9, 12, { boot: 'b' })]);
    expect(proved(entries)).toBeNull();
    const hours = hoursOf(newest(entries)).sort((a, b) => a.start - b.start);
    expect(hours.map(({ start }) => (start - T0) / HOUR_MS)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ]);
    expect(hours.filter(({ q }) => q === 'M')).toEqual([]);
    expect(hours.map(({ use }) => use)).toEqual(hours.map(() => 20));
  });

  it('what was read in a boot that ended before the time was known is in one gap, and in no hour', () => {
    const again = quarters(9, 10, { boot: 'c', synced: false, ahead: LOST - 9 * HOUR_MS });
    const { entries } = run([...before, ...lost, ...again, ...quarters(10, 12, { boot: 'c' })]);
    expect(proved(entries)).toBeNull();
    const [gap, ...others] = gapsOf(newest(entries));
    expect(others).toEqual([]);
    expect(gap).toMatchObject({ why: 'clock', from: T0 + 3 * HOUR_MS - QUARTER + 2_000 });
    expect(gap?.to).toBe(T0 + 9 * HOUR_MS + 2_000);
  });

  it('stamps go on from what was known last: nothing looks half a century old', () => {
    const { increments, events } = run([...before, ...lost]);
    const stamps = increments.map(({ toAt }) => toAt);
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(Math.min(...stamps, ...events.map(({ at }) => at))).toBeGreaterThanOrEqual(T0);
    expect(Math.max(...stamps)).toBeLessThan(T0 + 9 * HOUR_MS);
  });

  it('is told once as a step, and not at every reading', () => {
    const { notices } = run([...before, ...lost]);
    expect(notices.filter(({ code }) => code === 'clock.step')).toHaveLength(1);
  });

  it('for weeks: so many readings wait and no more, and their sum is the dial', () => {
    const weeks = quarters(3, 500, { boot: 'b', synced: false, ahead: LOST });
    const waiting = run([...before, ...weeks]).state.held;
    expect(waiting).toHaveLength(96);
    const { entries } = run([...before, ...weeks, ...quarters(500, 503, { boot: 'b' })]);
    expect(proved(entries)).toBeNull();
    const hours = hoursOf(newest(entries)).filter(({ start }) => start >= T0 + 477 * HOUR_MS);
    expect(hours.filter(({ q }) => q === 'M')).toEqual([]);
  });

  it('a dial that is doubted all the while says nothing of hours that ended before it was seen last', () => {
    const jumped = lost.map((poll) => ({ ...poll, read: 5_000_000 + (poll.read ?? 0) }));
    const { entries } = run([...before, ...jumped, ...quarters(9, 12, { boot: 'b' })]);
    const seen = hoursOf(entries).flatMap(({ start, at }) => (at === null ? [] : [at - start]));
    expect(Math.max(...seen)).toBeLessThanOrEqual(HOUR_MS + RULES.toleranceMs);
    expect(proved(entries)).toBeNull();
  });

  it('an installation that never knew the time begins in the boot in which it is known', () => {
    const first = quarters(0, 2, { boot: 'a', synced: null, ahead: LOST });
    const { entries, state } = run([...first, ...quarters(2, 6, { boot: 'b' })]);
    expect(proved(entries)).toBeNull();
    for (const hour of hoursOf(entries)) expect(hour.start).toBeGreaterThanOrEqual(CLOCK_EPOCH_MS);
    expect(state.initial).toMatchObject({ seq: 0, read: 0, total: 0 });
  });
});

describe('an unsynchronised clock that a restart put years back', () => {
  const before = quarters(0, 30, { boot: 'a' });
  const YEARS = -3 * 365 * DAY;

  it('is waited for, for days, before hours are taken back for its sake', () => {
    const back = quarters(30, 60, { boot: 'b', synced: false, ahead: YEARS });
    const lived = run([...before, ...back, ...quarters(60, 63, { boot: 'b' })]);
    expect(lived.notices.map(({ code }) => code)).not.toContain('clock.restated');
    expect(proved(lived.entries)).toBeNull();
  });

  it('is believed after a week that nobody put it right', () => {
    const back = quarters(30, 30 + 8 * 24, { boot: 'b', synced: false, ahead: YEARS });
    const { state } = run([...before, ...back]);
    expect(state.held).toEqual([]);
    expect(state.clock?.at).toBe(back.at(-1)?.at);
  });

  it('within one boot a person may have set it: the quarter of an hour holds', () => {
    const back = quarters(30, 32, { boot: 'a', synced: false, ahead: YEARS });
    expect(run([...before, ...back]).state.held).toEqual([]);
  });

  it('a clock saved an hour before a cut has lost nothing that a quarter of an hour does not heal', () => {
    const back = quarters(30, 32, { boot: 'b', synced: false, ahead: -HOUR_MS });
    expect(run([...before, ...back]).state.held).toEqual([]);
  });
});

it('conserves every count under any order of lost clocks, restarts and jumps', () => {
  const part = fc.record({
    polls: fc.integer({ min: 1, max: 30 }),
    ahead: fc.constantFrom(0, 0, LOST, -12 * DAY, -DAY, 3 * HOUR_MS, 9 * DAY),
    synced: fc.constantFrom(true, false, null),
    reboot: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (plan) => {
      const list: Poll[] = [];
      let [mono, boot, read] = [2_000, 0, 0];
      for (const { polls, ahead, synced, reboot } of plan) {
        if (reboot) boot += 1;
        for (let i = 0; i < polls; i += 1) {
          read += 7;
          list.push({ at: T0 + mono + ahead, mono, boot: `b${boot}`, synced, read });
          mono += QUARTER;
        }
      }
      const { entries, state, increments } = run(list);
      const moved = increments.reduce((sum, { counts }) => sum + counts, 0);
      expect(moved).toBe(state.last?.total);
      expect(conserve(1, entries, state.initial?.read ?? 0, RULES.dial).problem).toBeNull();
      const keys = entries.map((e) => `${e.kind}${e.kind === 'hour' ? e.start : e.from}/${e.rev}`);
      expect(new Set(keys).size).toBe(keys.length);
      for (const hour of hoursOf(entries)) expect(hour.start).toBeGreaterThan(CLOCK_EPOCH_MS);
    }),
    { numRuns: 100 },
  );
});
