// An installation comes back from its records exactly, at every moment of any life, and what changes often is small.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeState,
  encodeCircumstances,
  encodeState,
  keys,
  seal,
  unseal,
} from '../../src/codec/journal-record.ts';
import { isPlain, sameCircumstances } from '../../src/codec/state-record.ts';
import { type Installation, newInstallation } from '../../src/domain/advance.ts';
import { MINUTE, type Poll, RULES, run, T0 } from '../domain/meter-run.ts';

const TURN = 10 ** 8;

/** One poll after the last one: what the dial did, or that it was not read, on which clock. */
const happening = fc.record({
  after: fc.integer({ min: 1, max: 100 * MINUTE }),
  by: fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 300 }), fc.integer({ max: TURN })),
  read: fc.boolean(),
  checked: fc.boolean(),
  synced: fc.constantFrom(true, true, true, null, false),
  step: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { arbitrary: fc.integer(), weight: 1 }),
});

const life = fc
  .tuple(fc.nat(TURN - 1), fc.array(happening, { maxLength: 60 }))
  .map(([begin, plan]) => {
    let dial = begin;
    let mono = 0;
    let error = 0;
    return plan.map(({ after, by, read, checked, synced, step }): Poll => {
      dial = (((dial + by) % TURN) + TURN) % TURN;
      mono += after;
      error += step % (3 * 60 * MINUTE);
      const at = T0 + mono + error;
      return { at, mono, checked, synced, read: read ? dial : null, fault: 'line.silent' };
    });
  });

function statesOf(polls: readonly Poll[]): Installation[] {
  const states: Installation[] = [];
  let state = newInstallation(1);
  for (const poll of polls) {
    state = run([poll], RULES, state).state;
    states.push(state);
  }
  return states;
}

describe('an installation in the journal', () => {
  it('comes back as it was, at every moment of any life', () => {
    fc.assert(
      fc.property(life, (polls) => {
        for (const state of statesOf(polls)) {
          const around = encodeCircumstances('SP-1', state);
          expect(decodeState('SP-1', encodeState('SP-1', state), around)).toEqual(state);
        }
      }),
    );
  });

  it('comes back over circumstances kept earlier, as long as they are said to be the same', () => {
    fc.assert(
      fc.property(life, (polls) => {
        let kept: { state: Installation; text: string } | undefined;
        for (const state of statesOf(polls)) {
          if (!isPlain(state)) continue;
          if (!kept || !sameCircumstances(kept.state, state)) {
            kept = { state, text: encodeCircumstances('SP-1', state) ?? '' };
          }
          expect(decodeState('SP-1', encodeState('SP-1', state), kept.text)).toEqual(state);
        }
      }),
    );
  });

  it('takes at most 64 bytes for what each reading moves, on a busy meter after twenty years', () => {
    const minutes = 20 * 365 * 24 * 60;
    const at = T0 + minutes * MINUTE;
    const grown = statesOf(
      Array.from({ length: 90 }, (_, i) => ({ at: at + i * MINUTE, read: 99_999_000 + 7 * i })),
    ).map((state) => ({ ...state, steps: minutes / 2 }));
    for (const state of grown.slice(2)) {
      expect(isPlain(state)).toBe(true);
      expect(encodeState('SP-1', state).length).toBeLessThanOrEqual(64);
    }
  });

  it('is none where circumstances or state are damaged, or belong to another installation', () => {
    const [state] = statesOf([{ at: T0, read: 5 }]).slice(-1) as [Installation];
    const text = encodeState('SP-1', state);
    const around = encodeCircumstances('SP-1', state) ?? '';
    expect(decodeState('SP-1', text, around)).toEqual(state);
    expect(decodeState('SP-1', text, undefined)).toBeUndefined();
    expect(decodeState('SP-1', text, around.replace('"inst":1', '"inst":2'))).toBeUndefined();
    const key = keys.circumstances('SP-1');
    const other = seal(key, { ...(unseal(key, around) as object), inst: 2 });
    expect(decodeState('SP-1', text, other)).toBeUndefined();
    expect(decodeState('SP-1', `${text}0`, around)).toBeUndefined();
    expect(decodeState('SP-2', text, around)).toBeUndefined();
  });
});
