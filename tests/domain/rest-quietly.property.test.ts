// The short way for a dial at rest leads where the long one does, at every moment of any life.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  advance,
  advanceInFull,
  type Installation,
  newInstallation,
  type Observation,
} from '../../src/domain/advance.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { MINUTE, RULES, SILENCE, T0 } from './meter-run.ts';

const happening = fc.record({
  after: fc.oneof(fc.constant(15 * MINUTE), fc.integer({ min: 1, max: 100 * MINUTE })),
  by: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 300 })),
  read: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)),
  checked: fc.boolean(),
  synced: fc.constantFrom(true, true, true, null, false),
  step: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, fc.integer({ min: -9e6, max: 9e6 })),
  boot: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, fc.constant(1)),
});

it('goes the same way as in full, whatever came before', () => {
  let short = 0;
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80 }), (plan) => {
      let state: Installation = newInstallation(1);
      let dial = 1_000;
      let mono = 0;
      let error = 0;
      let boots = 0;
      const published: Entry[] = [];
      for (const { after, by, read, checked, synced, step, boot } of plan) {
        dial += by;
        mono += after;
        error += step;
        boots += boot;
        const moment = { at: T0 + mono + error, mono, boot: `b${boots}`, synced };
        const seen: Observation = read
          ? { kind: 'reading', moment, register: dial, checked, identified: false }
          : { ...SILENCE, moment, fault: 'line.silent' };
        const full = advanceInFull(state, seen, RULES, { entries: published, held: 0 });
        const taken = advance(state, seen, RULES, { entries: published, held: 0 });
        expect(taken).toEqual(full);
        if (taken.state.alarms === state.alarms && read && by === 0) short += 1;
        state = taken.state;
        published.push(...taken.entries);
      }
    }),
    { numRuns: 300 },
  );
  expect(short).toBeGreaterThan(500);
});
