// Thirty days on a bad line of 32 meters: what `npm test` lives three days of, with its figures.

import { describe, expect, it } from 'vitest';
import { type LineKind, liveOnBadLine } from '../whole/line-campaign.ts';

const DAYS = 30;
const KINDS: LineKind[] = ['modbus-rtu', 'line-serial'];

describe.each(KINDS)('%s', (kind) => {
  it.each([1, 2, 3, 4, 5])(
    `${DAYS} days of 32 meters at 9600 baud, 4 dead, 2 slow, one frame in fifty damaged, seed %i`,
    async (seed) => {
      const { findings, line, ...figures } = await liveOnBadLine(kind, seed, DAYS);
      const share = ((100 * figures.actual) / figures.due).toFixed(3);
      process.stdout.write(
        `${kind}, seed ${seed}: ${figures.due} hours due, ${figures.actual} actual (${share} %), the farthest reading ${figures.farthest} ms from its edge; ` +
          `longest wait for a dead meter ${figures.waitedForDead.toFixed(0)} ms, at the edge ${figures.waitedAtEdge} ms; the dead asked at ${(100 * figures.edgesAskedDead).toFixed(1)} % of the edges; ` +
          `${figures.wrong} wrong values; line ${JSON.stringify(line)}\n`,
      );
      expect(findings).toEqual([]);
      expect(figures.wrong).toBe(0);
      expect(figures.actual / figures.due).toBeGreaterThanOrEqual(0.999);
      expect(figures.waitedForDead).toBeLessThanOrEqual(1_000);
      expect(figures.edgesAskedDead).toBeGreaterThanOrEqual(0.95);
    },
  );
});
