// Hostile commands by the thousand: each is answered or refused, nothing breaks, no poll moves; `npm run proof` throws ten times as many.

import { expect, it } from 'vitest';
import { throwAt } from './hostile.ts';

it('C1 and C2: 10,000 hostile commands and a flood of 10,000 are answered or refused, and no poll comes at another instant', async () => {
  const { faults, polls, pollsMoved, answered, refused } = await throwAt(10_000, 3);
  expect(faults.slice(0, 5)).toEqual([]);
  expect(polls).toBeGreaterThan(50);
  expect(pollsMoved).toBe(0);
  expect(answered).toBeGreaterThan(10_000);
  expect(refused).toBeGreaterThan(5_000);
}, 120_000);
