// A hundred thousand damaged lines; `npm run proof` takes ten times as many.

import { expect, it } from 'vitest';
import { fuzzLines } from './fuzz.ts';
import { shippedDevices } from './shipped.ts';

it('no damaged line throws, hangs, leaks or becomes a number that is not in it', async () => {
  const fuzz = fuzzLines(await shippedDevices(), 100_000, 'damaged lines');
  expect(fuzz).toMatchObject({ frames: 100_000, throws: 0, madeUp: 0 });
  // The damage reaches what lies behind the form: some frames are read, some streams are overlong.
  expect(fuzz.readings).toBeGreaterThan(1_000);
  expect(fuzz.overlong).toBeGreaterThan(100);
  expect(fuzz.slowestMs).toBeLessThan(50);
  expect(fuzz.heapGrowthBytes).toBeLessThan(5_000_000);
});
