// Two hundred thousand damaged Modbus replies through every Modbus profile.

import { expect, it } from 'vitest';
import { fuzzReplies } from '../codec/modbus-fuzz.ts';
import { shippedDevices } from '../codec/shipped.ts';

const FRAMES = 200_000;

it(`${FRAMES} damaged Modbus replies throw nothing, hang nothing and leak nothing`, async () => {
  const fuzz = fuzzReplies(await shippedDevices(), FRAMES, 'many damaged replies');
  process.stdout.write(`${JSON.stringify(fuzz)}\n`);
  expect(fuzz).toMatchObject({ throws: 0, outside: 0 });
  // A CRC of 16 bits lets one damage in 65,536 pass that is not short; most of these are cut or too long besides.
  expect(fuzz.believed).toBeLessThanOrEqual(FRAMES / 20_000);
  expect(fuzz.slowestMs).toBeLessThan(50);
  expect(fuzz.heapGrowthBytes).toBeLessThan(5_000_000);
});
