// 200 seeds of the hostile world, or 10,000 with WORLD=long: nothing violated, every fault struck, every point of the code reached.

import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { missing, sweep } from '../world/sweep.ts';

const SEEDS = process.env['WORLD'] === 'long' ? 10_000 : 200;
const LEAST = 100;

it(
  `${SEEDS} seeds of a hostile world`,
  async () => {
    const lived = await sweep(SEEDS, Math.min(4, availableParallelism()));
    const { seeds, meterDays, cpuS, faults, sometimes } = lived;
    process.stdout.write(`${JSON.stringify({ seeds, meterDays, cpuS, faults, sometimes })}\n`);
    const failed = lived.failed.map(({ seed, violations }) => ({ seed, violations }));
    expect(failed).toEqual([]);
    expect(missing(lived, LEAST)).toEqual([]);
  },
  SEEDS * 60_000,
);
