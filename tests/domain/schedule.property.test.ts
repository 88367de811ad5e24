// When meters are read: every edge of an hour is held, no pause is too long, and reads lie around the edge as the wire allows.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missedBy, planEdge, toleranceNeeded } from '../../src/domain/edge-plan.ts';
import {
  nextPoll,
  PROBE_MAX_MS,
  phaseOf,
  type Rhythm,
  restAfter,
} from '../../src/domain/schedule.ts';
import { HOUR_MS, hourOf } from '../../src/domain/units.ts';

const T0 = Date.UTC(2026, 5, 1);
const instant = fc.integer({ min: T0, max: T0 + 48 * HOUR_MS });
const rhythm: fc.Arbitrary<Rhythm> = fc
  .record({
    pollMs: fc.integer({ min: 1, max: 3600 }).map((s) => s * 1000),
    toleranceMs: fc.integer({ min: 1, max: 1800 }).map((s) => s * 1000),
    place: fc.integer({ min: 0, max: 63 }),
    more: fc.integer({ min: 1, max: 64 }),
  })
  .map(({ pollMs, toleranceMs, place, more }) => ({
    ...{ pollMs, toleranceMs },
    phaseMs: phaseOf(place, place + more, pollMs),
  }));

describe('the poll grid', () => {
  it('goes on, holds every edge of an hour, and pauses no longer than 1.5 periods', () => {
    fc.assert(
      fc.property(instant, rhythm, (now, how) => {
        const next = nextPoll(now, how);
        expect(next).toBeGreaterThan(now);
        expect(next).toBeLessThanOrEqual(hourOf(now) + HOUR_MS);
        const after = nextPoll(next, how);
        expect(after - next).toBeLessThanOrEqual(1.5 * how.pollMs);
        // The same instants from wherever one looks.
        expect(nextPoll(next - 1, how)).toBe(next);
      }),
    );
  });

  it('reads no meter more often in an hour than its period says', () => {
    fc.assert(
      fc.property(rhythm, (how) => {
        let reads = 0;
        for (let at = T0; at < T0 + HOUR_MS; at = nextPoll(at, how)) reads += 1;
        expect(reads).toBeLessThanOrEqual(Math.ceil(HOUR_MS / how.pollMs));
      }),
      { numRuns: 30 },
    );
  });

  it('a period of a quarter of an hour is read at its quarters', () => {
    const how = { pollMs: HOUR_MS / 4, phaseMs: 0, toleranceMs: 15_000 };
    const seen = [T0];
    for (let i = 0; i < 4; i += 1) seen.push(nextPoll(seen.at(-1) ?? 0, how));
    expect(seen.map((at) => (at - T0) / 60_000)).toEqual([0, 15, 30, 45, 60]);
  });

  it('the meters of a bus share half a period and no two fall together', () => {
    const phases = Array.from({ length: 32 }, (_, i) => phaseOf(i, 32, 900_000));
    const apart = phases.slice(1).map((phase, i) => phase - (phases[i] ?? 0));
    expect(Math.min(...apart)).toBeGreaterThan(14_000);
    expect((phases.at(-1) ?? 0) - (phases[0] ?? 0)).toBeLessThan(450_000);
    expect(phaseOf(0, 1, 900_000)).toBe(0);
  });
});

describe('the rest of a meter that does not answer', () => {
  it('grows with its failures up to a ceiling and is never without end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1_000, max: HOUR_MS }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, pollMs, random) => {
          const rest = restAfter(failures, pollMs, random);
          expect(rest).toBeLessThanOrEqual(Math.max(pollMs, PROBE_MAX_MS));
          expect(rest).toBeLessThanOrEqual(restAfter(failures + 2, pollMs, random));
        },
      ),
    );
    expect(restAfter(1, 1_000, 0.5)).toBe(0);
    expect(restAfter(40, 1_000, 0.999)).toBeGreaterThan(PROBE_MAX_MS / 2);
    expect(restAfter(40, 1_000, 0)).not.toBe(restAfter(40, 1_000, 0.9));
  });
});

const reads = fc.array(
  fc.record({
    readMs: fc.integer({ min: 1, max: 5_000 }),
    toleranceMs: fc.integer({ min: 1_000, max: 60_000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('the reads around an edge', () => {
  it('never lie on each other, leave no pause, and take as long as all of them', () => {
    fc.assert(
      fc.property(reads, (all) => {
        const plan = planEdge(all);
        const spans = all
          .map(({ readMs }, i) => ({
            from: plan.beginMs[i] ?? 0,
            to: (plan.beginMs[i] ?? 0) + readMs,
          }))
          .sort((a, b) => a.from - b.from);
        for (const [i, { from }] of spans.entries()) {
          if (i > 0) expect(from).toBe(spans[i - 1]?.to);
        }
        expect(spans[0]?.from).toBe(plan.fromMs);
        expect(plan.roundMs).toBe(all.reduce((sum, { readMs }) => sum + readMs, 0));
        expect(plan.fromMs).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('are early only as far as they count', () => {
    fc.assert(
      fc.property(reads, (all) => {
        const plan = planEdge(all);
        for (const [i, { toleranceMs }] of all.entries()) {
          expect(plan.stampMs[i]).toBeGreaterThanOrEqual(-toleranceMs);
        }
      }),
    );
  });

  it('all count when the tolerance is what was said to be needed, and not with a second less', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 100, max: 5_000 }), { minLength: 1, maxLength: 60 }),
        (ms) => {
          const needed = toleranceNeeded(ms.map((readMs) => ({ readMs, toleranceMs: 1 })));
          const enough = ms.map((readMs) => ({ readMs, toleranceMs: needed }));
          expect(missedBy(planEdge(enough), enough)).toBe(0);
        },
      ),
    );
    const forty = Array.from({ length: 40 }, () => ({ readMs: 1_300, toleranceMs: 15_000 }));
    expect(planEdge(forty).roundMs).toBe(52_000);
    expect(toleranceNeeded(forty)).toBe(26_000);
    expect(missedBy(planEdge(forty), forty)).toBe(40 - 23);
  });

  it('a short round begins at the edge; one of twelve seconds has half of its reads before it', () => {
    const of = (readMs: number) =>
      Array.from({ length: 12 }, () => ({ readMs, toleranceMs: 15_000 }));
    expect(planEdge(of(200)).fromMs).toBe(0);
    const long = planEdge(of(1_000));
    expect(long.fromMs).toBe(-7_000); // The seventh answer before it is there six seconds early.
    expect(Math.max(...long.stampMs.map(Math.abs))).toBeLessThanOrEqual(6_000);
  });

  it('the tightest tolerance is served nearest to the edge', () => {
    const all = [60_000, 60_000, 2_000, 60_000, 60_000].map((toleranceMs) => ({
      readMs: 3_000,
      toleranceMs,
    }));
    const { stampMs } = planEdge(all);
    expect(Math.abs(stampMs[2] ?? 99)).toBe(Math.min(...stampMs.map(Math.abs)));
  });
});
