// A store that fails, and a power cut while it syncs: nothing is lost or invented, and nothing stays behind.

import { describe, expect, it } from 'vitest';
import { crashWhileSyncing, failNth } from './store-failures.ts';

const WELL = { lost: 0, invented: 0, findings: [], own: { ok: true, pending: 0 } };

describe('the n-th operation of the store fails', () => {
  it.each([
    ['io', 'it alone (EIO)'],
    ['full', 'it and all that need room, for more than an hour (ENOSPC)'],
    ['latched', 'it and all others until the store is opened again'],
  ] as const)('%s: %s: no count is lost or invented', { timeout: 120_000 }, async (kind, _) => {
    for (let n = 1; n <= 200; n += 10) {
      expect(await failNth(n, kind), `failNth(${n}, '${kind}')`).toMatchObject(WELL);
    }
  });
});

describe('a power cut while the store syncs', () => {
  it('leaves what was acknowledged, and the head-end the truth, 1,000 times', async () => {
    let inFlight = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const life = await crashWhileSyncing(seed, 100);
      expect(life, `crashWhileSyncing(${seed}, 100)`).toMatchObject({ ...WELL, told: 0 });
      inFlight += life.inFlight;
    }
    expect(inFlight).toBeGreaterThan(300);
  }, 300_000);
});
