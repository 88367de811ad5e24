// Thousands of lives of a meter and its journal by chance: restores, lost states, thinning, change-outs, wrong clocks, cuts, in any order.

import { it } from 'vitest';
import { liveInAnyOrder } from '../journal/any-order.ts';

const LIVES = 10_000;

it(`${LIVES} lives of a journal in any order lose and invent no water`, async () => {
  await liveInAnyOrder(LIVES);
});
