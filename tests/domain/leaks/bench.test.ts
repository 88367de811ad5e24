// The bench of leaks in small, with floors well below its goals: a detector that forgets what it could is found here.

import { describe, expect, it } from 'vitest';
import { coarseLeaks } from '../../../simulator/leaks/leak.ts';
import { gallonsPerCount } from '../../../src/domain/leaks/rates.ts';
import { COARSE, FINE, runTrial } from '../../bench/leak-run.ts';
import { figuresOf, perYear } from '../../bench/leak-score.ts';

const DAYS = 40;

describe('the leak watch on homes with known leaks', () => {
  it('finds nearly all of them at a quarter hour, with few false alarms', {
    timeout: 60_000,
  }, () => {
    const { watch } = runTrial({ dial: FINE, pollS: 900, homes: 40, days: DAYS, seed: 'small' });
    const q = gallonsPerCount(FINE);
    const all = figuresOf(watch.outcomes, q);
    const fast = figuresOf(
      watch.outcomes.filter(({ gph }) => gph >= 1),
      q,
    );
    expect(all.leaks).toBeGreaterThan(40);
    expect(all.recall).toBeGreaterThan(0.88);
    expect(fast.recall).toBeGreaterThan(0.94);
    expect(all.in72).toBeGreaterThan(0.8);
    expect(all.delay).toBeLessThan(14);
    expect(fast.rateError).toBeLessThan(0.1);
    expect(all.premature).toBeLessThan(0.1);
    expect(perYear(watch.falseAlarms, watch)).toBeLessThan(1.2);
  });

  it('finds large ones on a 4-digit dial', { timeout: 60_000 }, () => {
    const trial = { dial: COARSE, pollS: 900, homes: 30, days: DAYS, seed: 'small' };
    const { watch } = runTrial({ ...trial, plan: coarseLeaks });
    expect(figuresOf(watch.outcomes, gallonsPerCount(COARSE)).recall).toBeGreaterThan(0.7);
    expect(perYear(watch.falseAlarms, watch)).toBeLessThan(1);
  });
});
