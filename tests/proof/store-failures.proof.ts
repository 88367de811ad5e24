// Every one of the first 200 operations of the store fails in three ways; 10,000 power cuts while it syncs.

import { expect, it } from 'vitest';
import { crashWhileSyncing, failNth } from '../whole/store-failures.ts';

const WELL = { lost: 0, invented: 0, findings: [], own: { ok: true, pending: 0 } };

it.each(['io', 'full', 'latched'] as const)(
  'the n-th operation of the store fails, n = 1 to 200: %s',
  async (kind) => {
    for (let n = 1; n <= 200; n += 1) {
      expect(await failNth(n, kind), `failNth(${n}, '${kind}')`).toMatchObject(WELL);
    }
  },
);

it('10,000 power cuts while the store syncs', async () => {
  const figures = { crashes: 0, inFlight: 0, kept: 0 };
  for (let seed = 1; seed <= 100; seed += 1) {
    const life = await crashWhileSyncing(seed, 100);
    expect(life, `crashWhileSyncing(${seed}, 100)`).toMatchObject({ ...WELL, told: 0 });
    figures.crashes += life.crashes;
    figures.inFlight += life.inFlight;
    figures.kept += life.kept;
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
});
