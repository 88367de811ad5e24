// Twenty thousand damaged Modbus replies; `npm run proof` takes ten times as many.

import { expect, it } from 'vitest';
import { fuzzReplies } from './modbus-fuzz.ts';
import { shippedDevices } from './shipped.ts';

it('no damaged Modbus reply throws, hangs, leaks or becomes a register', async () => {
  const fuzz = fuzzReplies(await shippedDevices(), 20_000, 'damaged replies');
  expect(fuzz).toMatchObject({ frames: 20_000, throws: 0, believed: 0, outside: 0 });
  expect(fuzz.damaged).toBeGreaterThan(15_000);
  expect(fuzz.reached).toBeGreaterThan(1_000);
  expect(fuzz.slowestMs).toBeLessThan(50);
  expect(fuzz.heapGrowthBytes).toBeLessThan(5_000_000);
});
