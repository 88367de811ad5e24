// Three days on a bad line; `npm run proof` lives thirty.

import { describe, expect, it } from 'vitest';
import { liveOnBadLine } from './line-campaign.ts';

describe('32 meters on one line at 9600 baud, 4 dead, 2 slow, one frame in fifty damaged', () => {
  it('the others are read at every edge, nobody waits longer than a time-out for the dead, no value is wrong', async () => {
    const figures = await liveOnBadLine(1, 3);
    expect(figures.findings).toEqual([]);
    expect(figures.wrong).toBe(0);
    // One edge that a slow device missed costs two hours; over 30 days 99.9 % is held (see line.proof.ts).
    expect(figures.actual).toBeGreaterThanOrEqual(figures.due - 2);
    expect(figures.waitedForDead).toBeLessThanOrEqual(1_000);
    expect(figures.waitedAtEdge).toBe(0);
    expect(figures.farthest).toBeLessThanOrEqual(15_000);
    expect(figures.edgesAskedDead).toBeGreaterThanOrEqual(1);
  }, 120_000);
});
