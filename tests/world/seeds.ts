// The seeds that every run of the tests lives through, in parts that can run beside each other.

import { describe, expect, it } from 'vitest';
import { commandOf } from './command.ts';
import { expand } from './options.ts';
import { runSeed } from './run.ts';

/** A street of 25 meters for a week, polled every 15 minutes. */
const LIFE_MS = 5 * 60_000;

/** One test a seed: a failing one names the command that lives it again. */
export function liveThroughSeeds(from: number, to: number): void {
  const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  describe('25 meters for a week in a hostile world', () => {
    it.each(seeds)(
      'seed %i: nothing is lost, invented or held up, and all is well two hours after the healing',
      async (seed) => {
        const { line } = await runSeed({ seed });
        expect(line.violations, commandOf(expand({ seed }))).toEqual([]);
        expect(Object.keys(line.faults).length).toBeGreaterThan(0);
      },
      LIFE_MS,
    );
  });
}
