// Three days on a bad line; `npm run proof` lives thirty.

import { describe, expect, it } from 'vitest';
import { type LineKind, liveOnBadLine } from './line-campaign.ts';

const KINDS: LineKind[] = ['modbus-rtu', 'line-serial'];

describe.each(KINDS)(
  '32 meters on one %s at 9600 baud, 4 dead, 2 slow, one frame in fifty damaged',
  (kind) => {
    it('999 of 1000 hours of the others are actual, nobody waits longer than a time-out for the dead, no value is wrong', async () => {
      const figures = await liveOnBadLine(kind, 1, 3);
      expect(figures.findings).toEqual([]);
      expect(figures.wrong).toBe(0);
      expect(figures.actual / figures.due).toBeGreaterThanOrEqual(0.999);
      expect(figures.waitedForDead).toBeLessThanOrEqual(1_000);
      expect(figures.waitedAtEdge).toBe(0);
      expect(figures.farthest).toBeLessThanOrEqual(15_000);
      // Those that answer are asked again first, while a reading would still count.
      expect(figures.edgesAskedDead).toBeGreaterThanOrEqual(0.9);
    }, 120_000);
  },
);
