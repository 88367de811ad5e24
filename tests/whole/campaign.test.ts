// Many lives with faults from a seed: whatever struck, the head-end holds the truth in the end.

import { describe, expect, it } from 'vitest';
import { liveThrough } from './campaign.ts';

/** A failing seed is its own report: liveThrough(seed). `npm run proof` lives many more. */
const SEEDS = Array.from({ length: 20 }, (_, i) => 1_000 + i);

describe('lives with faults drawn from a seed', () => {
  it.each(SEEDS)('seed %i: nothing is lost or invented, and nothing waits', async (seed) => {
    const { audit, own } = await liveThrough(seed);
    expect(audit.findings).toEqual([]);
    expect([audit.lost, audit.invented, audit.duplicates]).toEqual([0, 0, 0]);
    expect(own).toMatchObject({ ok: true, pending: 0 });
  });

  it('the same seed lives the same life', async () => {
    const [one, again] = [await liveThrough(1_003), await liveThrough(1_003)];
    expect(again.hash).toBe(one.hash);
    expect(again.faults).toEqual(one.faults);
  });
});
