// What the leak watch says of single leaks, the makers' rules by name, and what a dial can show at all.

import { describe, expect, it } from 'vitest';
import { detectable } from '../../../src/domain/leaks/detectable.ts';
import {
  applyMakers,
  type MakersRule,
  type MakersState,
  NO_MAKERS,
} from '../../../src/domain/leaks/makers.ts';
import { beginWatch, watch } from '../../../src/domain/leaks/watch.ts';
import {
  clears,
  DIAL,
  HOUR_MS,
  POLL_MS,
  type Register,
  RULES,
  raises,
  registers,
  steps,
  T0,
  watchAll,
} from './watched.ts';

const DAY_MS = 24 * HOUR_MS;

describe('the leak watch', () => {
  it('tells a leak once from raise to clear, updates it daily and states its evidence', () => {
    const leak = { perHour: 8, from: 15, to: 19 };
    const { events } = watchAll(steps(registers({ days: 22, seed: 'a', leak })));
    const ids = new Set(events.map(({ alarm }) => alarm));
    expect(ids.size).toBe(1);
    expect(events.map(({ message }) => message)).toEqual(events.map((_, i) => i));
    expect(events.at(0)?.phase).toBe('raise');
    expect(events.at(-1)?.phase).toBe('clear');
    const updates = events.filter(({ phase }) => phase === 'update');
    expect(updates.length).toBeGreaterThanOrEqual(2);
    for (const [i, { at }] of updates.entries()) {
      expect(at - (events[i]?.at ?? 0)).toBeGreaterThanOrEqual(DAY_MS - POLL_MS);
    }
    const last = updates.at(-1);
    expect(last?.since).toBeGreaterThan(T0 + 14 * DAY_MS);
    expect(Number(last?.data['rate'])).toBeGreaterThan(7);
    expect(Number(last?.data['rate'])).toBeLessThan(9);
    expect(Number(last?.data['rate_low'])).toBeLessThanOrEqual(8);
    expect(Number(last?.data['rate_high'])).toBeGreaterThanOrEqual(8);
    expect(last?.data).toMatchObject({ why: 'no_pause', clears: 'a pause' });
    expect(Number(last?.data['observed'])).toBeGreaterThan(Number(last?.data['limit']));
  });

  it('time that nobody knows makes no young meter an old one', () => {
    const unknown = { at: 0, elapsedMs: 30 * DAY_MS, counts: 0, broken: true };
    const state = beginWatch();
    watch(state, { ...unknown, at: T0 }, RULES);
    expect(state.days).toBe(0);
    // The twelve homes behind a coarse dial that is two days old: its usual pace is not known.
    const coarse = { dial: { digits: 4, unit: 'ft3', pow10: 2 }, pollMs: POLL_MS } as const;
    const evenly = Array.from({ length: 400 }, (_, i) => {
      return {
        at: T0 + i * POLL_MS,
        elapsedMs: POLL_MS,
        counts: Number(i % 40 === 39),
        broken: false,
      };
    });
    const young = beginWatch();
    const told = [evenly[0], { ...unknown, at: T0 }, ...evenly].flatMap((step) =>
      step ? watch(young, step, coarse).events : [],
    );
    expect(told).toEqual([]);
  });

  it('polls that were missed for days are no days of which a meter is known', () => {
    const missed = { at: T0, elapsedMs: 10 * DAY_MS, counts: 40, broken: false };
    const { state } = watch(beginWatch(), missed, RULES);
    expect(state.days).toBe(0);
    expect(state.now).toBeCloseTo(240);
  });

  it('a stuck toilet of 120 gallons an hour is raised within two hours', () => {
    const leak = { perHour: 160, from: 12.4, to: 12.9 };
    const { events } = watchAll(steps(registers({ days: 14, seed: 'b', leak })));
    expect(raises(events)[0]).toMatchObject({ code: 'flow.burst', severity: 'major' });
    expect(raises(events)[0]?.at).toBeLessThanOrEqual(T0 + 12.4 * DAY_MS + 2 * HOUR_MS);
    expect(clears(events)).toHaveLength(1);
  });

  it('a drip of a quarter gallon an hour is found in a quiet house', () => {
    const leak = { perHour: 0.25 / 0.748, from: 20, to: 35 };
    const { events } = watchAll(steps(registers({ days: 34, seed: 'c', leak })));
    const [first] = raises(events);
    expect(first?.code).toBe('leak.slow');
    expect(first?.at).toBeGreaterThan(T0 + 20 * DAY_MS);
  });

  it('irrigation at the same hour every second day is not raised once it is known', () => {
    const all = registers({ days: 50, seed: 'd' });
    let watered = 0;
    const with_ = all.map(({ at, count }, i) => {
      const hour = (i / 4) % 48;
      if (hour >= 4 && hour < 7) watered += 60;
      return { at, count: count + watered };
    });
    const late = raises(watchAll(steps(with_)).events).filter(({ at }) => at > T0 + 8 * DAY_MS);
    expect(late).toEqual([]);
  });

  it('irrigation that ends between two polls stays known beyond the weeks for which a flow is remembered', () => {
    const all = registers({ days: 120, seed: 'd' });
    let watered = 0;
    const with_ = all.map(({ at, count }, i) => {
      const hour = (i / 4) % 48;
      // Four hours and five minutes at 448 gallons an hour.
      if (hour >= 4 && hour < 8) watered += 150;
      if (hour === 8) watered += 50;
      return { at, count: count + watered };
    });
    const told = raises(watchAll(steps(with_)).events);
    expect(told.filter(({ at }) => at > T0 + 8 * DAY_MS)).toEqual([]);
    expect(told.length).toBeLessThanOrEqual(1);
  });

  it('a trickle of the same two days in each week is not told anew every month', () => {
    let ran = 0;
    const weekly = registers({ days: 160, seed: 'b' }).map(({ at, count }, i) => {
      // Forty hours in each week, and some minutes more in some.
      if (((i / 4) % 168) + 0.1 * ((i * 7) % 3) < 40) ran += 0.8 / 0.748 / 4;
      return { at, count: Math.floor(count + ran) };
    });
    const told = raises(watchAll(steps(weekly)).events);
    expect(told.filter(({ at }) => at > T0 + 30 * DAY_MS)).toEqual([]);
  });

  it('single counts, one in each piece, are no strong flow: the dial is coarse', () => {
    const dial = { digits: 6, unit: 'gal', pow10: 1 } as const;
    let drawn = 0;
    const busy = registers({ days: 22, seed: 'h' }).map(({ at, count }, i) => {
      // Four hours of one evening in which ten gallons are drawn in each quarter of an hour.
      if (i >= 20 * 96 + 72 && i < 20 * 96 + 88) drawn += 1;
      return { at, count: Math.floor((count * 0.748) / 10) + drawn };
    });
    const { events } = watchAll(steps(busy), undefined, { dial, pollMs: POLL_MS });
    expect(raises(events)).toEqual([]);
  });

  it('a refilling tank is told as intermittent', () => {
    let refilled = 0;
    const all = registers({ days: 24, seed: 'e' }).map(({ at, count }, i) => {
      if (i >= 18 * 96 && i % 3 === 0) refilled += 3;
      return { at, count: count + refilled };
    });
    expect(raises(watchAll(steps(all)).events)[0]?.code).toBe('leak.intermittent');
  });

  it('a 4-digit dial shows a leak of 100 gallons an hour by the spacing of its counts', () => {
    const dial = { digits: 4, unit: 'ft3', pow10: 2 } as const;
    const leak = { perHour: 134, from: 30, to: 33 };
    const coarse = registers({ days: 36, seed: 'f', leak }).map(({ at, count }) => ({
      at,
      count: Math.floor(count / 1000),
    }));
    const { events } = watchAll(steps(coarse), undefined, { dial, pollMs: POLL_MS });
    expect(raises(events)).toHaveLength(1);
    expect(raises(events)[0]?.data['why']).toBe('even_counts');
    expect(clears(events)).toHaveLength(1);
  });

  it('a burst is found on every coarse dial, however fast its counts come', () => {
    const gallons = 0.748;
    for (const [unit, pow10, q] of [
      ['ft3', 2, 748],
      ['ft3', 1, 74.8],
      ['gal', 2, 100],
      ['L', 2, 26.4],
      ['m3', 0, 264],
    ] as const) {
      const dial = { digits: 6, unit, pow10 } as const;
      for (const gph of [300, 700, 1500, 3000]) {
        const leak = { perHour: gph / gallons, from: 30, to: 31 };
        const coarse = registers({ days: 33, seed: 'i', leak }).map(({ at, count }) => ({
          at,
          count: Math.floor((count * gallons) / q),
        }));
        const { events } = watchAll(steps(coarse), undefined, { dial, pollMs: POLL_MS });
        const [first] = raises(events);
        const which = `${gph} gal/h at ${q} gallons a count`;
        expect(first?.code, which).toBe('flow.burst');
        expect((first?.at ?? 0) - (T0 + 30 * DAY_MS), which).toBeGreaterThan(0);
        expect((first?.at ?? 0) - (T0 + 30 * DAY_MS), which).toBeLessThan(18 * HOUR_MS);
        expect((Number(first?.data['rate']) * q) / gph, which).toBeGreaterThan(0.75);
        expect((Number(first?.data['rate']) * q) / gph, which).toBeLessThan(1.35);
        expect(raises(events).length - clears(events).length, which).toBe(0);
      }
    }
  });

  /** Counts of a dial of so many cubic feet a count through which `perHour` cubic feet flow, at quarter hours. */
  const flowing = (days: number, ft3: number, perHour: (hour: number, day: number) => number) => {
    let volume = 0;
    return Array.from({ length: days * 96 }, (_, poll): Register => {
      volume += perHour((poll / 4) % 24, Math.floor(poll / 96)) / 4;
      return { at: T0 + poll * POLL_MS, count: Math.floor(volume / ft3 + 1e-9) };
    });
  };
  const isOpen = (hour: number, day: number) => day % 7 < 5 && hour >= 7 && hour < 18;

  it('a shop on a 4-digit dial is raised once for its working hours, and not every day', () => {
    const dial = { digits: 4, unit: 'ft3', pow10: 2 } as const;
    for (const perHour of [60, 70, 80]) {
      const shop = flowing(90, 100, (hour, day) => (isOpen(hour, day) ? perHour : 0));
      const { events } = watchAll(steps(shop), undefined, { dial, pollMs: POLL_MS });
      expect(raises(events).length, String(perHour)).toBeLessThanOrEqual(1);
    }
  });

  it('a leak that begins on a 4-digit dial in a shop is raised on its first night', () => {
    const dial = { digits: 4, unit: 'ft3', pow10: 2 } as const;
    const shop = flowing(
      60,
      100,
      (hour, day) => (isOpen(hour, day) ? 70 : 0) + (day < 50 ? 0 : 60),
    );
    const { events } = watchAll(steps(shop), undefined, { dial, pollMs: POLL_MS });
    const late = raises(events).filter(({ at }) => at > T0 + 50 * DAY_MS);
    expect(late[0]?.at).toBeLessThan(T0 + 51 * DAY_MS);
    expect(clears(events).filter(({ at }) => at > T0 + 50 * DAY_MS)).toEqual([]);
  });

  it('a leak below a business is one leak: what runs by day beside it is not another every morning', () => {
    const works = flowing(60, 0.1, (hour, day) => {
      const wave = 0.9 + 0.2 * (((day * 7) % 11) / 11);
      return day % 7 < 5 && hour >= 6 && hour < 22 ? 5 * wave : 1;
    });
    const { state, events } = watchAll(steps(works));
    expect(state.standing).toHaveLength(1);
    expect(raises(events).length).toBeLessThan(5);
    expect(raises(events).length - clears(events).length).toBe(1);
  });

  it('hourly registers show a leak of 3 gallons an hour', () => {
    const leak = { perHour: 4, from: 20, to: 40 };
    const hourly = registers({ days: 24, seed: 'g', leak }).filter((_, i) => i % 4 === 0);
    const { events } = watchAll(steps(hourly), undefined, { dial: DIAL, pollMs: HOUR_MS });
    expect(raises(events)[0]?.at).toBeLessThan(T0 + 22 * DAY_MS);
  });
});

describe("the makers' rules", () => {
  function apply(moved: (quarter: number) => boolean, quarters: number, pollMs = POLL_MS) {
    let state: MakersState = NO_MAKERS;
    const told: { rule: MakersRule; phase: string; quarter: number }[] = [];
    for (let i = 1; i <= quarters; i++) {
      const step = { at: T0 + i * pollMs, elapsedMs: pollMs, counts: moved(i - 1) ? 1 : 0 };
      const after = applyMakers(state, step, pollMs);
      state = after.state;
      told.push(...after.events.map(({ rule, phase }) => ({ rule, phase, quarter: i })));
    }
    return told;
  }
  const of = (rule: MakersRule, told: ReturnType<typeof apply>) =>
    told.filter((one) => one.rule === rule);

  it('96 of 96 quarter hours raise, and one without movement ends it', () => {
    const told = of(
      'quarters-96',
      apply((quarter) => quarter !== 150, 200),
    );
    expect(told.map(({ phase }) => phase)).toEqual(['raise', 'clear']);
  });

  it('24 hours with movement each raise, whatever their quarters did', () => {
    const told = apply((quarter) => quarter % 4 === 1 && quarter < 300, 400);
    expect(of('hours-24', told).map(({ phase }) => phase)).toEqual(['raise', 'clear']);
    expect(of('quarters-96', told)).toEqual([]);
    expect(of('quarters-50', told)).toEqual([]);
  });

  it('an hour without a pause is not an hour of the clock', () => {
    const told = apply((quarter) => quarter % 4 === 0, 200);
    expect(of('no-idle-hour', told).map(({ phase }) => phase)).toEqual(['raise']);
    const resting = apply((quarter) => quarter % 8 < 4, 200);
    expect(of('no-idle-hour', resting)).toEqual([]);
  });

  /** As `apply`, where the quarters of `unread` are missed: their counts come with the next reading. */
  function applyRead(moved: (quarter: number) => boolean, quarters: number, unread: Set<number>) {
    let state: MakersState = NO_MAKERS;
    const told: string[] = [];
    let [last, counts] = [0, 0];
    for (let i = 1; i <= quarters; i++) {
      counts += moved(i - 1) ? 1 : 0;
      if (unread.has(i - 1)) continue;
      const step = { at: T0 + i * POLL_MS, elapsedMs: (i - last) * POLL_MS, counts };
      const after = applyMakers(state, step, POLL_MS);
      [state, last, counts] = [after.state, i, 0];
      told.push(...after.events.map(({ rule, phase }) => `${rule} ${phase}`));
    }
    return told;
  }

  it('an unread quarter clears nothing: the hours of the clock stay where they are', () => {
    // In each hour the dial moves in one quarter, in the first or the last in turn.
    const moved = (quarter: number) => quarter % 8 === 3 || quarter % 8 === 4;
    const hours = applyRead(moved, 288, new Set([121])).filter((one) => one.startsWith('hours-24'));
    expect(hours).toEqual(['hours-24 raise']);
  });

  it('quarters before a month without a poll are none of the last 24 hours', () => {
    const month = new Set(Array.from({ length: 30 * 96 }, (_, i) => 60 + i));
    expect(applyRead(() => true, 60 + 30 * 96 + 60, month)).toEqual([]);
    const later = applyRead(() => true, 60 + 30 * 96 + 96, month);
    expect(later.filter((one) => one.startsWith('quarters-96'))).toEqual(['quarters-96 raise']);
  });

  it('a reading after quarters that nobody judged, or that a clock leapt over, tells nothing of them', () => {
    let state: MakersState = NO_MAKERS;
    const told: string[] = [];
    // The dial moves in each quarter. After 60 of them days pass of which no reading tells how long they took.
    for (let i = 1; i <= 130; i++) {
      const at = T0 + (i > 60 ? i + 288 : i) * POLL_MS;
      const after = applyMakers(state, { at, elapsedMs: POLL_MS, counts: 1 }, POLL_MS);
      state = after.state;
      told.push(...after.events.map(({ rule, phase }) => `${rule} ${phase} ${i}`));
    }
    expect(told).toEqual([]);
  });

  it('a wall clock that went back by no whole hour neither raises nor clears', () => {
    let state: MakersState = NO_MAKERS;
    const told: string[] = [];
    for (let i = 1; i <= 288; i++) {
      const quarter = i > 150 ? i - 5 : i;
      const counts = quarter % 8 === 4 || quarter % 8 === 5 ? 1 : 0;
      const step = { at: T0 + quarter * POLL_MS, elapsedMs: POLL_MS, counts };
      const after = applyMakers(state, step, POLL_MS);
      state = after.state;
      const hours = after.events.filter(({ rule }) => rule === 'hours-24');
      told.push(...hours.map(({ phase }) => phase));
    }
    expect(told).toEqual(['raise']);
  });

  it('hourly registers say nothing of quarter hours', () => {
    const told = apply(() => true, 60, HOUR_MS);
    expect(told.map(({ rule }) => rule).sort()).toEqual(['hours-24', 'no-idle-hour']);
  });
});

describe('what a meter can show', () => {
  it('0.1 ft3 at a quarter hour shows a quarter gallon an hour in three days', () => {
    expect(detectable(DIAL, 900)).toMatchObject({ unit: 'ft3', perHour: 0.033, hours: 72 });
  });

  it('100 ft3 shows nothing below 60 gallons an hour, and that after its sixth count', () => {
    const { perHour, hours } = detectable({ digits: 4, unit: 'ft3', pow10: 2 }, 900);
    expect(perHour).toBe(8);
    expect(hours).toBe(77);
  });
});
