// I10: what a wrong clock does to hours, and how they are put right; the water is independent of the clock.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, type Observation } from '../../src/domain/advance.ts';
import { conserve, newest } from '../../src/domain/conservation.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import { gapsOf, hoursOf, MINUTE, type Poll, RULES, run, SILENCE, T0 } from './meter-run.ts';

const QUARTER = 15 * MINUTE;

/** Polls each quarter hour of true time; `wallAhead` says by how much the wall clock is ahead of the truth then. */
function polls(
  hours: number,
  wallAhead: (trueMs: number) => number,
  synced: boolean | null = null,
): Poll[] {
  return Array.from({ length: hours * 4 + 1 }, (_, i) => {
    const mono = i * QUARTER + 2_000;
    return { at: T0 + mono + wallAhead(mono), mono, read: i * 5, synced };
  });
}

describe('I10: the clock', () => {
  it('a step beyond the tolerance closes no hour for 15 minutes, and places what was read meanwhile', () => {
    const ahead = (ms: number) => (ms > 2 * HOUR_MS ? 10 * MINUTE : 0);
    const { entries, notices } = run(polls(6, ahead));
    expect(notices.map((notice) => notice.code)).toEqual(['clock.step']);
    expect(conserve(1, entries, 0, RULES.dial).problem).toBeNull();
    const stepped = run(polls(2, ahead).slice(0, 9)).entries;
    expect(stepped).toHaveLength(1); // 02:00 true is 02:10 on the wall: nothing closes yet.
  });

  it('a step that the time service vouches for is believed at once', () => {
    const ahead = (ms: number) => (ms > 2 * HOUR_MS ? 10 * MINUTE : 0);
    const held = run(polls(2, ahead).slice(0, 9)).state.held;
    const trusted = run(polls(2, ahead, true).slice(0, 9)).state.held;
    expect([held.length, trusted.length]).toEqual([1, 0]);
  });

  it('an unsynchronised clock holds hours open until it is synchronised, then they are placed in true time', () => {
    const wrong = polls(3, () => -5 * 365 * 24 * HOUR_MS, false).slice(0, 1);
    const right = polls(3, () => 0, true).slice(1);
    const { entries } = run([...wrong, ...right]);
    expect(hoursOf(entries).map((hour) => [hour.start, hour.use])).toEqual([
      [T0, 20],
      [T0 + HOUR_MS, 20],
      [T0 + 2 * HOUR_MS, 20],
    ]);
  });

  it('a reading stamped before the last closed boundary counts in the open hour, which is partial', () => {
    const back = (ms: number) => (ms > 2 * HOUR_MS + 3_000 ? -10_000 : 0);
    const list = polls(4, back);
    list.splice(9, 0, {
      at: T0 + 2 * HOUR_MS - 6_000,
      mono: 2 * HOUR_MS + 4_000,
      read: 41,
      synced: null,
    });
    const hours = hoursOf(run(list).entries);
    expect(hours[2]).toMatchObject({ use: 20, q: 'P', flags: ['clock'] });
  });

  it('closed hours that prove to lie in the future are taken back, their volume is one gap, the true hours come with a higher rev', () => {
    const ahead = (ms: number) => (ms > HOUR_MS + QUARTER && ms < 5 * HOUR_MS ? 6 * HOUR_MS : 0);
    const { entries, notices } = run(polls(16, ahead));
    const kept = newest(entries);
    expect(notices.map((notice) => notice.code)).toContain('clock.restated');
    const proof = conserve(1, entries, 0, RULES.dial);
    expect(proof.problem).toBeNull();
    expect(gapsOf(kept).some((gap) => gap.why === 'clock')).toBe(true);
    const hours = hoursOf(kept).sort((a, b) => a.start - b.start);
    const restated = hours.filter((hour) => hour.rev > 0);
    expect(restated.length).toBeGreaterThan(2);
    expect(restated.filter((hour) => hour.q === 'A').length).toBeGreaterThan(2);
    for (const hour of hours) expect(hour.start).toBeLessThan(T0 + 16 * HOUR_MS);
  });

  it('conserves every count under any sequence of clock steps, reboots and lost synchronisation', () => {
    const step = fc.record({
      polls: fc.integer({ min: 1, max: 12 }),
      jump: fc.oneof(
        fc.constant(0),
        fc.integer({ min: -5 * HOUR_MS, max: 5 * HOUR_MS }),
        fc.integer({ min: -60_000, max: 60_000 }),
        // To the millisecond upon what was told before.
        fc.integer({ min: -12, max: 12 }).map((n) => n * QUARTER),
        fc.integer({ min: -12, max: 12 }).map((n) => n * QUARTER - 1),
      ),
      synced: fc.constantFrom(true, false, null),
      reboot: fc.boolean(),
      silent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (plan) => {
        const list: Poll[] = [];
        let mono = 2_000;
        let ahead = 0;
        let boot = 0;
        let read = 0;
        for (const part of plan) {
          ahead += part.jump;
          if (part.reboot) boot += 1;
          for (let i = 0; i < part.polls; i += 1) {
            read += 7;
            const silent = part.silent && list.length > 0;
            list.push({
              ...{ at: T0 + mono + ahead, mono, boot: `b${boot}`, synced: part.synced },
              read: silent ? null : read,
            });
            mono += QUARTER;
          }
        }
        const { entries, state, increments } = run(list);
        const moved = increments.reduce((sum, increment) => sum + increment.counts, 0);
        expect(moved).toBe(state.last?.total);
        const initial = state.initial?.read ?? 0;
        const proof = conserve(1, entries, initial, RULES.dial);
        expect(proof.problem).toBeNull();
        const keys = entries.map(
          (e) => `${e.kind}${e.kind === 'hour' ? e.start : e.from}/${e.rev}`,
        );
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 500, examples: LIVES_THAT_FAILED.map((plan) => [[...plan]]) },
    );
  });
});

const part = (polls: number, jump: number, more: { synced?: null; silent?: true } = {}) => {
  return { ...{ polls, jump, synced: true, reboot: false, silent: false }, ...more };
};

/** A gap once took the key of another that stood, with its volume. */
const LIVES_THAT_FAILED = [
  [part(2, 0), part(3, -2_243_088), part(1, -3_173_913, { synced: null }), part(2, 0)],
  [part(2, 0), part(4, -3 * QUARTER), part(1, -4 * QUARTER), part(3, 6 * QUARTER)],
  [
    ...[part(4, 17_105_847), part(1, 9_000_000, { silent: true }), part(1, -4_500_001)],
    ...[part(6, 7_155), part(3, -9_000_000, { silent: true })],
    ...[part(6, -1_800_001, { silent: true }), part(4, 0)],
  ],
];

describe('what a register is told of by the passing of time', () => {
  const DAY = 24 * HOUR_MS;
  const YEAR = 365 * DAY;
  /** The dial moves each quarter of an hour for two days; from then on it stands still. */
  const read = (trueMs: number) => 1_000 + Math.floor(Math.min(trueMs, 2 * DAY) / QUARTER);

  /** Codes and phases, each with the true hours at which it was told. */
  function toldOf(list: readonly Poll[], from?: Parameters<typeof run>[2]) {
    const state = run([], RULES, from).state;
    return list.reduce(
      ({ known, told }, poll) => {
        const step = run([poll], RULES, known);
        const hours = Math.round((poll.mono ?? 0) / HOUR_MS);
        return {
          known: step.state,
          told: [...told, ...step.events.map(({ code, phase }) => `${code} ${phase} ${hours}`)],
        };
      },
      { known: state, told: [] as string[] },
    ).told;
  }

  const quarters = (days: number, more: (trueMs: number) => Partial<Poll>): Poll[] =>
    Array.from({ length: days * 96 }, (_, i) => {
      const mono = i * QUARTER + 2_000;
      return { at: T0 + mono, mono, read: read(mono), synced: true, ...more(mono) };
    });

  it('reverse flow under a clock that was a year ahead is over a day after it, not a year', () => {
    const backAt = DAY + HOUR_MS;
    const list = quarters(5, (ms) => ({
      at: T0 + ms + (ms > DAY && ms < DAY + 6 * HOUR_MS ? YEAR : 0),
      read: 1_000 - (ms > backAt ? 20 : 0),
    }));
    expect(toldOf(list)).toEqual(['flow.reverse raise 25', 'flow.reverse clear 49']);
  });

  it('a dial that stopped under a clock that was a year ahead is stuck ten days after it stopped', () => {
    const ahead = (ms: number) => (ms > DAY && ms < 2 * DAY + 6 * HOUR_MS ? YEAR : 0);
    const list = quarters(14, (ms) => ({ at: T0 + ms + ahead(ms) }));
    expect(toldOf(list)).toEqual([`read.stuck raise ${24 * 12}`]);
  });

  it('a clock that leaps a year ahead makes no dial stuck, and none that rests for a year', () => {
    const list = quarters(14, (ms) => ({ at: T0 + ms + (ms > 2 * DAY + HOUR_MS ? YEAR : 0) }));
    expect(toldOf(list)).toEqual([`read.stuck raise ${24 * 12}`]);
    const moves = (ms: number) => 1_000 + Math.floor(ms / DAY);
    const leaps = quarters(8, (ms) => ({
      ...{ at: T0 + ms + (ms > 3 * DAY + HOUR_MS ? YEAR : 0), read: moves(ms) },
    }));
    const { moved } = run(leaps).state;
    expect((moved?.longestIdleMs ?? 0) / HOUR_MS).toBeCloseTo(24, 0);
  });

  it('a restart with a clock a year ahead tells nothing of the dial until it is put right', () => {
    const list = quarters(14, (ms) => {
      const boot = ms > 3 * DAY ? { boot: 'c', mono: ms - 3 * DAY } : {};
      const wrong = ms > 3 * DAY && ms < 3 * DAY + 10 * MINUTE;
      return { ...boot, ...(wrong && { at: T0 + ms + YEAR, synced: false }) };
    });
    const told = run(list).events.map(({ code, phase, at }) => `${code} ${phase} ${at - T0}`);
    expect(told.map((one) => one.split(' ')[0])).toEqual(['read.stuck']);
    expect(Number(told[0]?.split(' ')[2]) / DAY).toBeCloseTo(12, 1);
  });

  it('a clock that was in 1970 leaves no rest of half a century behind', () => {
    const list = quarters(3, (ms) => ({
      ...(ms < DAY ? { at: ms, synced: false } : { boot: 'c', mono: ms - DAY }),
      read: 1_000 + Math.floor(ms / QUARTER),
    }));
    expect(run(list).state.moved?.longestIdleMs).toBeLessThan(2 * DAY);
  });

  /** The `i`-th quarter of a boot whose clock was a year ahead from the fifth to the fortieth. */
  const aheadMeanwhile = (i: number) => {
    const mono = i * QUARTER + 2_000;
    const ahead = i > 4 && i < 40 ? YEAR : 0;
    return { at: T0 + mono + ahead, mono, boot: 'b', synced: true };
  };

  it('two encoders on one address are told of until a day after the last turn, whatever the clock was', () => {
    let state = run([]).state;
    const told: string[] = [];
    for (let i = 0; i < 4 * 96; i += 1) {
      const moment = aheadMeanwhile(i);
      const seen: Observation =
        i < 20 && i % 2 === 1
          ? { ...SILENCE, moment, fault: 'frame.wrong_id', stranger: '77' }
          : { kind: 'reading', moment, register: 1_000, checked: true, identified: true };
      const after = advance(state, seen, RULES);
      state = after.state;
      told.push(...after.events.map(({ code, phase }) => `${code} ${phase} ${i}`));
    }
    expect(told).toEqual(['meter.address_conflict raise 4', 'meter.address_conflict clear 116']);
  });

  it('a jump seen again and again under a clock that was ahead is confirmed a day after it was seen first', () => {
    let state = run([]).state;
    const accepted: number[] = [];
    for (let i = 0; i < 4 * 96; i += 1) {
      const moment = aheadMeanwhile(i);
      const register = i < 20 ? 1_000 : 9_000_000;
      const seen = { kind: 'reading', moment, register, checked: true, identified: true } as const;
      state = advance(state, seen, RULES).state;
      if (state.last?.read === 9_000_000) accepted.push(i);
    }
    expect(accepted[0]).toBe(116);
  });
});
