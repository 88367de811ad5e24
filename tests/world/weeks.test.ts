// The seeds that every run of the tests lives through. They live compiled, in processes of their own: inside the test runner they
// take twice as long.

import { beforeAll, describe, expect, it } from 'vitest';
import { commandOf } from './command.ts';
import { expand } from './options.ts';
import type { RunLine } from './run.ts';
import { live, portionsOf } from './sweep.ts';

const SEEDS = 40;
const LIVES_MS = 15 * 60_000;

/** One test a seed: a failing one names the command that lives it again. */
describe.each(portionsOf(SEEDS))('25 meters for a week in a hostile world, seeds %s', (portion) => {
  const lived = new Map<number, RunLine>();
  beforeAll(async () => {
    await live(['--seeds', portion], (run) => void lived.set(run.seed, run));
  }, LIVES_MS);

  const [first = 0, last = 0] = portion.split('-').map(Number);
  it.each(Array.from({ length: last - first + 1 }, (_, i) => first + i))(
    'seed %i: nothing is lost, invented or held up, and all is well two hours after the healing',
    (seed) => {
      const line = lived.get(seed);
      expect(line?.violations, commandOf(expand({ seed }))).toEqual([]);
      expect(Object.keys(line?.faults ?? {}).length).toBeGreaterThan(0);
    },
  );
});
