// What a dial position means against the one before it, where time tells little.

import { describe, expect, it } from 'vitest';
import { UNKNOWN_ABSENCE_MS } from '../../src/domain/moment.ts';
import { classify } from '../../src/domain/register.ts';
import { HOUR_MS } from '../../src/domain/units.ts';

const COARSE = { dial: { digits: 4, unit: 'ft3', pow10: 2 }, maxFlowPerH: 60, jitter: 1 } as const;
const WEEKS_MS = 21 * 24 * HOUR_MS;

describe('a four-digit dial after a time in which it could have turned round', () => {
  it('a count behind it has rocked, for that is what dials do', () => {
    for (const elapsedMs of [WEEKS_MS, UNKNOWN_ABSENCE_MS]) {
      expect(classify(5046, 5045, elapsedMs, COARSE)).toEqual({ kind: 'jitter', counts: -1 });
    }
    expect(classify(0, 9999, WEEKS_MS, COARSE)).toEqual({ kind: 'jitter', counts: -1 });
  });

  it('the smallest forward amount is taken where the time is known', () => {
    const movement = { kind: 'forward', counts: 9_996, rollover: true, ambiguous: true };
    expect(classify(5046, 5042, WEEKS_MS, COARSE)).toEqual(movement);
  });

  it('where nobody knows the time more than half a turn waits for somebody who does', () => {
    const { kind } = classify(5046, 5042, UNKNOWN_ABSENCE_MS, COARSE);
    expect(kind).toBe('implausible');
    expect(classify(5046, 46, UNKNOWN_ABSENCE_MS, COARSE)).toMatchObject({ counts: 5_000 });
    expect(classify(5046, 45, UNKNOWN_ABSENCE_MS, COARSE)).toMatchObject({ counts: 4_999 });
  });
});
