// Real power cuts on a real file system: what was acknowledged is there, the collector starts, and the head-end holds the truth.

import { describe, expect, it } from 'vitest';
import { hasLoopDisks } from '../fakes/loop-disk.ts';
import { aedes } from '../fakes/real-brokers.ts';
import { cutCreations, cutPower } from './power-cuts.ts';

describe.skipIf(!hasLoopDisks)('a power cut (needs root, loop devices, mkfs.ext4, perl)', () => {
  it('at work, 10 times: nothing acknowledged is lost, and it starts again', async () => {
    const { audit, unheld, complaints, collecting } = await cutPower(await aedes(), 10, 61);
    expect(audit).toMatchObject({ lost: 0, invented: 0, duplicates: 0, findings: [] });
    expect({ unheld, complaints }).toEqual({ unheld: [], complaints: [] });
    expect(collecting).toBeGreaterThan(5);
  }, 240_000);

  it('while the journal is created, 5 times: nothing is there, or a whole journal', async () => {
    const { unstartable, absent, whole } = await cutCreations(5, 62);
    expect(unstartable).toEqual([]);
    expect(absent + whole).toBe(5);
  }, 120_000);
});
