// The seeds that every run of the tests lives through, in parts that can run beside each other: compiled, in a process of their
// own, which takes half the time that they take inside the test runner.

import { beforeAll, describe, expect, it } from 'vitest';
import { commandOf } from './command.ts';
import { expand } from './options.ts';
import type { RunLine } from './run.ts';
import { liveThrough } from './sweep.ts';

const LIVES_MS = 10 * 60_000;

/** A street of 25 meters for a week, polled every 15 minutes. One test a seed: a failing one names the command that lives it again. */
export function liveThroughSeeds(from: number, to: number): void {
  const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  describe('25 meters for a week in a hostile world', () => {
    let lived: readonly RunLine[] = [];
    beforeAll(async () => {
      lived = await liveThrough(from, to);
    }, LIVES_MS);
    it.each(seeds)(
      'seed %i: nothing is lost, invented or held up, and all is well two hours after the healing',
      (seed) => {
        const line = lived.find((run) => run.seed === seed);
        expect(line?.violations, commandOf(expand({ seed }))).toEqual([]);
        expect(Object.keys(line?.faults ?? {}).length).toBeGreaterThan(0);
      },
    );
  });
}
