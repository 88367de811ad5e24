// Faults of the bus, the clock and the dial neither raise nor clear a leak; a watch that was saved goes on as if it had not been.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../simulator/random.ts';
import { loadWatch, type SavedWatch, saveWatch } from '../../../src/domain/leaks/watch.ts';
import {
  clears,
  HOUR_MS,
  POLL_MS,
  type Register,
  raises,
  registers,
  steps,
  T0,
  watchAll,
} from './watched.ts';

const RUNS = { numRuns: 25 };
/** How often a sound house is taken for a leaking one is a rate, and measured (`npm run bench -- leaks`): here always the same houses. */
const SAME_HOUSES = { ...RUNS, seed: 11 };
const seeds = fc.integer({ min: 1, max: 1_000_000 }).map(String);
/** A leak of 4 counts (3 gallons) an hour from the 20th day on. */
const LEAK = { perHour: 4, from: 20, to: 40 };
const DAYS = 30;

/** Polls that fail: spells of some length, as [first poll, polls]. */
const outages = (from: number, to: number) =>
  fc.array(
    fc.tuple(fc.integer({ min: from * 96, max: to * 96 }), fc.integer({ min: 1, max: 120 })),
    {
      minLength: 1,
      maxLength: 12,
    },
  );

function without(all: readonly Register[], spells: readonly (readonly [number, number])[]) {
  return all.filter((_, i) => !spells.some(([first, length]) => i >= first && i < first + length));
}

/** A house that raises nothing when nothing happens to its readings: what is raised then, the fault has raised. */
function quietHouse(seed: string): readonly Register[] {
  const all = registers({ days: DAYS, seed });
  fc.pre(raises(watchAll(steps(all)).events).length === 0);
  return all;
}

/** A leak that was raised before day 22 and is judged from then on. */
function standing(events: ReturnType<typeof watchAll>['events']) {
  const raised = raises(events).filter(({ at }) => at >= T0 + 20 * 24 * HOUR_MS);
  return {
    first: raised[0],
    cleared: clears(events).filter(({ alarm }) => alarm === raised[0]?.alarm),
  };
}

describe('what faults do to the leak watch', { timeout: 300_000 }, () => {
  it('an even house is quiet, and a leak of 3 gallons an hour is raised within a day and cleared after it', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(raises(watchAll(steps(registers({ days: DAYS, seed }))).events)).toEqual([]);
        const leaky = registers({ days: DAYS, seed, leak: { ...LEAK, to: 27 } });
        const { first, cleared } = standing(watchAll(steps(leaky)).events);
        expect(first?.code).toBe('leak.continuous');
        expect(first?.at).toBeLessThan(T0 + 21.2 * 24 * HOUR_MS);
        expect(cleared).toHaveLength(1);
        expect(cleared[0]?.at).toBeGreaterThanOrEqual(T0 + 27 * 24 * HOUR_MS);
        expect(cleared[0]?.at).toBeLessThan(T0 + 27.5 * 24 * HOUR_MS);
      }),
      SAME_HOUSES,
    );
  });

  it('outages raise nothing in a house without a leak', () => {
    fc.assert(
      fc.property(seeds, outages(0, DAYS), (seed, spells) => {
        const read = without(quietHouse(seed), spells);
        expect(raises(watchAll(steps(read)).events)).toEqual([]);
      }),
      // Two long outages whose stretches of day and night together once looked like loud nights.
      {
        ...RUNS,
        examples: [
          [
            '1',
            [
              [393, 119],
              [608, 112],
            ],
          ],
        ],
      },
    );
  });

  it('an hour that nobody can tell from a month, and a confirmed jump, neither clear nor raise', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 22 * 96, max: 28 * 96 }),
        fc.constantFrom(0, 3, 50_000),
        (seed, when, counts) => {
          const torn = (all: readonly Register[]) =>
            steps(all).map((step, i) =>
              i === when ? { ...step, elapsedMs: 30 * 24 * HOUR_MS, counts, broken: true } : step,
            );
          expect(raises(watchAll(torn(quietHouse(seed))).events)).toEqual([]);
          const leaky = registers({ days: DAYS, seed, leak: LEAK });
          expect(standing(watchAll(torn(leaky)).events).cleared).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it('polls that fail by the half at random raise nothing', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const coins = new Random(`coins ${seed}`);
      const all = registers({ days: DAYS, seed: String(seed) });
      const read = all.filter(() => coins.chance(0.5));
      expect(raises(watchAll(steps(read)).events), `seed ${seed}`).toEqual([]);
    }
  });

  it('outages, restarts without a clock and confirmed jumps do not clear a leak that runs on', () => {
    fc.assert(
      fc.property(seeds, outages(22, DAYS), fc.boolean(), (seed, spells, blind) => {
        const all = registers({ days: DAYS, seed, leak: LEAK });
        const read = without(all, spells);
        const ends = new Set(
          blind
            ? read.flatMap((one, i) =>
                i > 0 && one.at - (read[i - 1]?.at ?? 0) > POLL_MS ? [i] : [],
              )
            : [],
        );
        const { first, cleared } = standing(watchAll(steps(read, ends)).events);
        expect(first).toBeDefined();
        expect(cleared).toEqual([]);
      }),
      RUNS,
    );
  });

  it('breaks that come again and again raise nothing', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 40 }), (seed, every) => {
        const all = quietHouse(seed);
        const broken = new Set(all.map((_, i) => i).filter((i) => i % every === 0));
        expect(raises(watchAll(steps(all, broken)).events)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('a dial that goes back and makes it good neither raises nor clears', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 22 * 96, max: 28 * 96 }),
        fc.integer({ min: 1, max: 60 }),
        (seed, when, back) => {
          const quiet = quietHouse(seed);
          const leaky = registers({ days: DAYS, seed, leak: LEAK });
          const reversed = (all: readonly Register[]) =>
            all.map(({ at, count }, i) => ({
              at,
              count: i >= when && i < when + 8 ? count - back : count,
            }));
          // A count back in a poll in which as many went forward looks like no flow, to anybody.
          const isSeen = (all: readonly Register[]) =>
            (all[when]?.count ?? 0) - back < (all[when - 1]?.count ?? 0);
          fc.pre(isSeen(quiet) && isSeen(leaky));
          expect(raises(watchAll(steps(reversed(quiet))).events)).toEqual([]);
          expect(standing(watchAll(steps(reversed(leaky))).events).cleared).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it('a wall clock that steps changes when an event is told and nothing else', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 20 * 96, max: 29 * 96 }),
        fc.integer({ min: -6, max: 6 }),
        (seed, when, hours) => {
          const all = steps(registers({ days: DAYS, seed, leak: { ...LEAK, to: 27 } }));
          const stepped = all.map((step, i) => ({
            ...step,
            at: step.at + (i >= when ? hours * HOUR_MS : 0),
          }));
          const kinds = (events: ReturnType<typeof watchAll>['events']) =>
            events
              .filter(({ phase }) => phase !== 'update')
              .map(({ alarm, code, phase }) => ({ alarm, code, phase }));
          expect(kinds(watchAll(stepped).events)).toEqual(kinds(watchAll(all).events));
        },
      ),
      RUNS,
    );
  });

  it('a watch saved at any reading goes on exactly as one that never was', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: DAYS * 96 - 2 }), (seed, at) => {
        const all = steps(registers({ days: DAYS, seed, leak: { ...LEAK, to: 27 } }));
        const whole = watchAll(all);
        const before = watchAll(all.slice(0, at));
        const saved = JSON.stringify(saveWatch(before.state));
        const loaded = loadWatch(JSON.parse(saved) as SavedWatch);
        if (!loaded) throw new Error('the watch was not understood');
        expect(loaded).toEqual(before.state);
        const after = watchAll(all.slice(at), loaded);
        expect([...before.events, ...after.events]).toEqual(whole.events);
        expect(saveWatch(after.state)).toEqual(saveWatch(whole.state));
      }),
      RUNS,
    );
  });

  it('remembers less than four kilobytes of a meter', () => {
    const { state } = watchAll(steps(registers({ days: DAYS, seed: '1', leak: LEAK })));
    const numbers =
      JSON.stringify({ ...saveWatch(state), cells: [], pieces: [] }).match(/:/g)?.length ?? 0;
    expect(state.cells.byteLength + state.words.byteLength + 8 * numbers).toBeLessThanOrEqual(4096);
  });

  it('a watch saved by another layout is not understood', () => {
    const saved = saveWatch(watchAll([]).state);
    expect(loadWatch({ ...saved, cells: saved.cells.slice(1) })).toBeNull();
  });
});
