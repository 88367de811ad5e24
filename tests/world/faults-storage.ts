// Faults of the storage and of the process: cuts, kills, stops, full and failing disks, rot, a second instance.

import type { Random } from '../../simulator/random.ts';
import { type FaultKind, HOUR, MINUTE } from './fault-kind.ts';
import type { HostileWorld } from './hostile-world.ts';

/** A cut that waits for a sync to strike in strikes anyway after this. */
const CUT_WAIT_MS = 20 * MINUTE;

/** How long nobody runs it: mostly a restart, sometimes hours. */
const downMs = (chance: Random) =>
  chance.chance(0.7) ? chance.between(200, 30_000) : chance.between(0.1, 5) * HOUR;

async function restart(world: HostileWorld, chance: Random): Promise<void> {
  await world.clock.run(world.trueNow() + downMs(chance));
  world.disturb();
  await world.begin();
}

/** Half of the cuts wait for a batch on its way to the medium. */
async function cutPower(world: HostileWorld, chance: Random): Promise<void> {
  let isDead = false;
  const cut = () => {
    if (isDead) return;
    isDead = true;
    world.kill(chance.whole(0, world.medium.unsynced));
  };
  if (chance.chance(0.5) && world.options.syncMs > 0) {
    world.medium.onSync = () => {
      world.clock.at(world.trueNow() + chance.between(0, world.options.syncMs), cut);
    };
    const end = world.trueNow() + CUT_WAIT_MS;
    while (!isDead && world.trueNow() < end) await world.clock.run(world.trueNow() + MINUTE);
    world.medium.onSync = () => {};
  }
  cut();
}

export const STORAGE_FAULTS: readonly FaultKind[] = [
  {
    id: 'F1',
    means: 'a power cut at any instant, also while a batch is on its way to the medium',
    perDay: [0.3, 3],
    async strike(world, chance) {
      world.hit('F1');
      await cutPower(world, chance);
      await restart(world, chance);
    },
  },
  {
    id: 'F3',
    means: 'kill -9: what was handed to the system is written all the same',
    perDay: [0.3, 3],
    async strike(world, chance) {
      world.hit('F3');
      world.kill(world.medium.unsynced);
      await restart(world, chance);
    },
  },
  {
    id: 'F53',
    means: 'stopped in good order at any instant, and started again',
    perDay: [0.3, 2],
    async strike(world, chance) {
      world.hit('F53');
      await world.stop();
      await restart(world, chance);
    },
  },
  {
    id: 'F51',
    means: 'the whole process stands still (SIGSTOP, a blocked event loop) and goes on',
    perDay: [0.3, 3],
    strike(world, chance) {
      world.hit('F51');
      const ms = chance.chance(0.6)
        ? chance.between(1_000, 90_000)
        : chance.between(2, 90) * MINUTE;
      world.suspend(ms);
      world.disturb();
      world.later(ms, () => world.disturb());
    },
  },
  {
    id: 'F4',
    means: 'the disk is full: no write and no opening succeeds until there is room',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      world.hit('F4');
      world.medium.ail('full');
      world.later(chance.between(0.02, 4) * HOUR, () => world.medium.heal());
    },
  },
  {
    id: 'F6',
    means: 'a write fails (EIO); whether it is on the medium all the same nobody knows',
    perDay: [0.5, 6],
    strike(world, chance) {
      world.hit('F6');
      world.medium.failNext(chance.whole(1, 3), chance.chance(0.5) ? 'applied' : 'lost');
    },
  },
  {
    id: 'F6l',
    means: 'the store is latched: everything fails until it is closed and opened again',
    perDay: [0.3, 3],
    strike(world) {
      world.hit('F6l');
      world.medium.ail('latched');
    },
  },
  {
    id: 'F7r',
    means: 'reading fails (EIO) for a while',
    perDay: [0.3, 3],
    strike(world, chance) {
      world.hit('F7r');
      world.medium.failReads(true);
      world.later(chance.between(1_000, 5 * MINUTE), () => world.medium.failReads(false));
    },
  },
  {
    id: 'F7',
    means: 'one bit of one record has turned over',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      const key = world.medium.keyAt(chance.whole(0, 1_000_000));
      const value = key === undefined ? undefined : world.medium.peek(key);
      if (key === undefined || !value) return;
      world.hit('F7');
      world.rotten += 1;
      const at = chance.whole(0, value.length - 1);
      const turned = String.fromCharCode(value.charCodeAt(at) ^ (1 << chance.whole(0, 6)));
      world.medium.rot(key, value.slice(0, at) + turned + value.slice(at + 1));
    },
  },
  {
    id: 'F9',
    means: 'another process holds the store when the collector starts',
    perDay: [0.2, 1],
    async strike(world, chance) {
      world.hit('F9');
      await world.stop();
      const other = await world.medium.open();
      world.disturb();
      await world.begin();
      await world.clock.run(world.trueNow() + chance.between(1_000, 10 * MINUTE));
      if (other.ok) await other.value.close();
      world.disturb();
    },
  },
  {
    id: 'F11',
    means: 'a flash card that takes seconds for a sync',
    perDay: [0.2, 1.5],
    strike(world, chance) {
      world.hit('F11');
      world.syncIn(chance.between(500, 8_000));
      world.later(chance.between(0.2, 6) * HOUR, () => world.syncIn(world.options.syncMs));
    },
  },
];
