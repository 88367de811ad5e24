// 100 real power cuts of the working collector's disk, and 25 while its journal is created.

import { describe, expect, it } from 'vitest';
import { cutCreations, cutPower } from '../end-to-end/power-cuts.ts';
import { hasLoopDisks } from '../fakes/loop-disk.ts';
import { aedes } from '../fakes/real-brokers.ts';

describe.skipIf(!hasLoopDisks)('power cuts (needs root, loop devices, mkfs.ext4, perl)', () => {
  it('100 at work', async () => {
    const { audit, unheld, complaints, collecting } = await cutPower(await aedes(), 100, 63);
    expect({ unheld, complaints }).toEqual({ unheld: [], complaints: [] });
    expect(audit).toMatchObject({ lost: 0, invented: 0, findings: [] });
    process.stdout.write(
      `${JSON.stringify({ cuts: 100, collecting, hours: audit.hours, lost: audit.lost })}\n`,
    );
  });

  it('25 at creation', async () => {
    const figures = await cutCreations(25, 64);
    expect(figures.unstartable).toEqual([]);
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  });
});
