// An installation that ends (I9): whatever went before, every count of its dial is published, under keys told once.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finish } from '../../src/domain/advance.ts';
import { conserve } from '../../src/domain/conservation.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { HOUR_MS } from '../../src/domain/units.ts';
import { gapsOf, MINUTE, type Poll, RULES, run, T0 } from './meter-run.ts';

const keyOf = (entry: Entry) =>
  entry.kind === 'hour' ? `h${entry.start}/${entry.rev}` : `g${entry.from}/${entry.rev}`;

/** The polls, then the end; all entries, and the last total of the dial. */
function ended(polls: readonly Poll[]) {
  const { state, entries } = run(polls);
  const end = finish(state, ['config'], RULES);
  return { entries: [...entries, ...end.entries], total: state.last?.total ?? 0 };
}

const at = (minutes: number, read: number | null): Poll => ({ at: T0 + minutes * MINUTE, read });

describe('I9: an installation that ends', () => {
  it('in an outage: what passed across its first gap is published, though no further reading ends the gap', () => {
    const { entries, total } = ended([
      ...[at(0, 0), at(15, 5), at(30, 10), at(45, 15)],
      ...[at(60, null), at(120, null), at(180, null)],
      at(200, 70), // The only reading between two unread edges.
      ...[at(241, null), at(300, null)],
    ]);
    expect(total).toBe(70);
    expect(conserve(1, entries, 0, RULES.dial)).toMatchObject({ sum: 70, problem: null });
    expect(gapsOf(entries).map((gap) => gap.use)).toEqual([55]);
  });

  it('while a reading is in quarantine: the counts of the suspect hour are published', () => {
    const { entries, total } = ended([
      ...[at(0, 0), at(15, 5), at(30, 10), at(45, 15), at(60, 20)],
      ...[at(75, 25), at(90, 30), at(119, 90_000_000), at(121, null)],
    ]);
    expect(total).toBe(30);
    expect(conserve(1, entries, 0, RULES.dial)).toMatchObject({ sum: 30, problem: null });
  });

  it('after any polls, wrong readings and steps of the clock: the sum is the dial, and no key and revision is told twice', () => {
    const poll = fc.record({
      after: fc.constantFrom(1, 5, 15, 15, 15, 30, 60, 200),
      late: fc.integer({ min: 0, max: 40_000 }),
      use: fc.integer({ min: 0, max: 300 }),
      sees: fc.constantFrom('dial', 'dial', 'dial', 'nothing', 'nonsense'),
      step: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0.3, -0.3, 5, -5, 50, -50),
    });
    fc.assert(
      fc.property(
        fc.array(poll, { maxLength: 40 }),
        fc.constantFrom(null, true),
        (plan, synced) => {
          let mono = 0;
          let dial = 0;
          let wrong = 0;
          const polls = plan.map(({ after, late, use, sees, step }) => {
            mono += after * MINUTE;
            dial += use;
            wrong += step * HOUR_MS;
            const read = sees === 'dial' ? dial : sees === 'nothing' ? null : dial + 50_000_000;
            return { at: T0 + mono + late + wrong, mono: mono + late, read, synced };
          });
          const { entries, total } = ended(polls);
          expect(conserve(1, entries, 0, RULES.dial).sum).toBe(total);
          const told = entries.map(keyOf);
          expect(new Set(told).size).toBe(told.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
