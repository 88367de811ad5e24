// A million damaged lines through every line profile, alone and out of a stream.

import { expect, it } from 'vitest';
import { fuzzLines } from '../codec/fuzz.ts';
import { shippedDevices } from '../codec/shipped.ts';

const FRAMES = 1_000_000;

it(`${FRAMES} damaged lines throw nothing, hang nothing, leak nothing and make nothing up`, async () => {
  const fuzz = fuzzLines(await shippedDevices(), FRAMES, 'many damaged lines');
  process.stdout.write(`${JSON.stringify(fuzz)}\n`);
  expect(fuzz).toMatchObject({ throws: 0, madeUp: 0 });
  expect(fuzz.slowestMs).toBeLessThan(50);
  expect(fuzz.heapGrowthBytes).toBeLessThan(5_000_000);
});
