// How many damaged frames without a check sum become accepted readings, over millions: with the second read, one in a million at most.

import { expect, it } from 'vitest';
import { measureWrongValues } from '../codec/wrong-values.ts';

const POLLS = 2_000_000;
const RATE_MAX = 1e-6;

it(`of ${POLLS} polls at 2 % damaged frames at most one reading in a million is wrong`, () => {
  for (const confirm of [false, true]) {
    const { damagedFrames, wrong, late, accepted } = measureWrongValues(POLLS, confirm, 11);
    const rate = wrong / accepted;
    const how = confirm ? 'with' : 'without';
    process.stdout.write(
      `${how} the second read: ${damagedFrames} damaged frames, ${wrong} wrong of ${accepted} readings (${rate.toExponential(1)}), ${late} as before though the dial had gone on\n`,
    );
    if (confirm) expect(rate).toBeLessThanOrEqual(RATE_MAX);
    else expect(wrong).toBeGreaterThan(0);
  }
});
