// The whole collector restored from an old backup: what the head-end holds still equals the registers served, and no rule is broken.

import { describe, expect, it } from 'vitest';
import { passes } from '../../simulator/audit.ts';
import { Random } from '../../simulator/random.ts';
import { HOUR, VirtualWorld } from './virtual-world.ts';

/** Two days, a backup, a day of outages, the backup restored, and some hours more; twice. */
async function lived(): Promise<VirtualWorld> {
  const world = new VirtualWorld({ seed: 11, meters: 8 });
  await world.start();
  await world.run(4.2);
  world.unplug('bus-2');
  await world.run(3);
  world.plugIn('bus-2');
  await world.run(40);
  await world.stop();
  const backup = await world.backup();
  for (const bus of ['bus-1', 'bus-3']) {
    await world.start();
    await world.run(5.3);
    world.unplug(bus);
    world.silence('SP-00002', true);
    await world.run(4);
    world.plugIn(bus);
    world.silence('SP-00002', false);
    await world.run(6);
    await world.stop();
    await world.run(0.7);
    await world.restore(backup);
  }
  await world.start();
  await world.run(9);
  return world;
}

describe('a collector that is restored, twice, from a backup of days ago', () => {
  it('has every count at the head-end once', async () => {
    const world = await lived();
    const until = Math.floor((world.clock.trueNow() - HOUR) / HOUR) * HOUR;
    const result = world.audit(until);
    expect(result.findings).toEqual([]);
    expect(passes(result)).toBe(true);
    // Other orders, other duplicates, the same.
    const truth = world.ledger().entries();
    for (const seed of [1, 2, 3]) {
      const chance = new Random(`restored/${seed}`);
      const { received } = world.broker;
      const mixed = [...received, ...received.filter(() => chance.chance(0.2))]
        .map((one) => [chance.next(), one] as const)
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one);
      // Of one topic, the last that is retained is the last.
      const birth = received.findLast(({ topic }) => topic.endsWith('/birth'));
      received.splice(0, received.length, ...mixed, ...(birth ? [birth] : []));
      const ledger = world.ledger();
      expect(ledger.conflicts).toEqual([]);
      expect(ledger.entries()).toEqual(truth);
    }
    await world.stop();
  });
});
