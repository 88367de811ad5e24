// Whatever the pattern of polls, the hours and gaps are those of the contract, and every count is in exactly one of them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conserve, newest } from '../../src/domain/conservation.ts';
import { batchHours, gapsOf, hoursOf, MINUTE, type Poll, RULES, run, T0 } from './meter-run.ts';

const TURN = 10 ** RULES.dial.digits;

/** Spells of good polls (with jittered times) and of silence, water running by fits. */
const spells = fc.array(
  fc.record({
    silent: fc.boolean(),
    polls: fc.integer({ min: 1, max: 20 }),
    late: fc.array(fc.integer({ min: -12_000, max: 40_000 }), { minLength: 20, maxLength: 20 }),
    use: fc.array(fc.integer({ min: -3, max: 300 }), { minLength: 20, maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function pollsOf(
  plan: readonly { silent: boolean; polls: number; late: number[]; use: number[] }[],
  begin: number,
  initial: number,
) {
  const polls: Poll[] = [];
  const readings: { at: number; total: number }[] = [];
  let total = 0;
  let at = begin;
  for (const spell of plan) {
    for (let i = 0; i < spell.polls; i += 1) {
      at += 15 * MINUTE;
      const stamp = at + (spell.late[i] ?? 0);
      const use = spell.use[i] ?? 0;
      total += spell.silent || use < -1 || use >= 0 ? use : 0; // One count back would be jitter, not flow.
      if (spell.silent) polls.push({ at: stamp, read: null });
      else {
        polls.push({ at: stamp, read: (((initial + total) % TURN) + TURN) % TURN });
        readings.push({ at: stamp, total });
      }
    }
  }
  const base = readings[0]?.total ?? 0;
  return { polls, readings: readings.map((r) => ({ at: r.at, total: r.total - base })) };
}

/** Reverse runs whose sum is one count in a silence look like jitter; they are tested by example. */
const smallSteps = (readings: { total: number }[]) =>
  readings.some((r, i) => i > 0 && r.total - (readings[i - 1]?.total ?? 0) === -1);

describe('hours from readings', () => {
  it('agree with the contract read literally over all readings at once', () => {
    fc.assert(
      fc.property(
        spells,
        fc.integer({ min: 0, max: 3_599_999 }),
        fc.integer({ min: 0, max: TURN - 1 }),
        (plan, phase, initial) => {
          const { polls, readings } = pollsOf(plan, T0 + phase, initial);
          fc.pre(!smallSteps(readings));
          const end = Math.max(...polls.map((p) => p.at)) + 1;
          const { entries, state } = run(polls);
          const kept = newest(entries);
          const expected = batchHours(readings, end + MINUTE);
          const due = batchHours(readings, end - 1).hours.length;
          const told = hoursOf(kept).map((h) => [h.start, h.use, h.q]);
          expect(told).toEqual(expected.hours.slice(0, told.length));
          expect(told.length).toBeGreaterThanOrEqual(due);
          // A gap that grows out of one that was sent is told anew when it ends.
          const growing =
            state.hours?.gap ?? (state.hours?.ended?.sent ? null : state.hours?.ended);
          const running = growing?.from.at;
          // The last minute's silence makes one grow that the run has not been told of yet.
          const ended = expected.gaps.filter(([, to]) => to !== Number.POSITIVE_INFINITY);
          const grows = expected.gaps.find(([, to]) => to === Number.POSITIVE_INFINITY)?.[0];
          const gaps = gapsOf(kept)
            .filter((g) => g.from !== running && g.from !== grows)
            .map((g) => [g.from, g.to, g.use]);
          expect(ended.slice(0, gaps.length)).toEqual(gaps);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('conserve every count from the first reading to the last stated total', () => {
    fc.assert(
      fc.property(
        spells,
        fc.integer({ min: 0, max: 3_599_999 }),
        fc.integer({ min: 0, max: TURN - 1 }),
        (plan, phase, initial) => {
          const { polls } = pollsOf(plan, T0 + phase, initial);
          const { entries, state, increments } = run(polls);
          if (!state.initial || !state.last) return;
          const proof = conserve(1, entries, state.initial.read, RULES.dial);
          expect(proof.problem).toBeNull();
          expect(increments.reduce((sum, step) => sum + step.counts, 0)).toBe(state.last.total);
          // A gap that is not over yet, or not told anew yet, counts as far as it was told before.
          const unsent = state.hours?.ended?.sent ? null : state.hours?.ended;
          const open = state.hours?.gap ?? unsent;
          const told = open && gapsOf(newest(entries)).find((gap) => gap.from === open.from.at);
          const from = open?.from ?? state.hours?.from;
          expect(proof.sum).toBe(from && from.total + (told?.use ?? 0));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('publish each hour and each gap once per revision, whatever is missed', () => {
    fc.assert(
      fc.property(spells, fc.integer({ min: 0, max: 3_599_999 }), (plan, phase) => {
        const { entries } = run(pollsOf(plan, T0 + phase, 0).polls);
        const keys = entries.map((e) => (e.kind === 'hour' ? `h${e.start}` : `g${e.from}`) + e.rev);
        expect(new Set(keys).size).toBe(keys.length);
        expect(hoursOf(entries).every((hour) => hour.rev === 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
