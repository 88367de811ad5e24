// The n-th operation of the store fails under the whole collector, or the power fails while the store syncs.

import { Random } from '../../simulator/random.ts';
import type { FailureKind } from '../fakes/memory-store.ts';
import { HOUR, VirtualWorld } from './virtual-world.ts';

export interface Life {
  readonly lost: number;
  readonly invented: number;
  readonly findings: readonly unknown[];
  /** The collector's own verdict, and what it has told of its journal. */
  readonly own: { readonly ok: boolean; readonly pending: number };
  readonly told: number;
}

/** Hours until the disk has room again, and until the end. */
const FULL_HOURS = 1.4;
const LIVED_HOURS = 6;

/** The n-th operation from the very start fails in the given way; what a failed write does all the same alternates. */
export async function failNth(n: number, kind: FailureKind): Promise<Life> {
  const world = new VirtualWorld({ seed: 400 + n, meters: 4, pollS: 300 });
  world.medium.failAt(n, kind, n % 2 === 0 ? 'applied' : 'lost');
  await world.start();
  await world.run(FULL_HOURS);
  world.medium.heal();
  await world.run(LIVED_HOURS - FULL_HOURS);
  return endOf(world);
}

/** How long the slow medium takes for a sync, in virtual milliseconds. */
const SYNC_MS = 800;

export interface Crashes extends Life {
  readonly crashes: number;
  /** Crashes that met a batch on its way to the medium, and batches of these that were kept. */
  readonly inFlight: number;
  readonly kept: number;
}

/** The power fails `crashes` times, mostly while a batch is on its way to the medium, of which a part is kept or not. */
export async function crashWhileSyncing(seed: number, crashes: number): Promise<Crashes> {
  const world = new VirtualWorld({ seed, meters: 4, pollS: 300 });
  const chance = new Random(`power/${seed}`);
  const figures = { crashes, inFlight: 0, kept: 0 };
  world.medium.syncIn(() => world.clock.sleep(SYNC_MS));
  for (let crash = 0; crash < crashes; crash += 1) {
    let isDead = false;
    const strike = () => {
      if (isDead) return;
      isDead = true;
      const kept = chance.whole(0, world.medium.unsynced);
      figures.inFlight += Math.min(1, world.medium.unsynced);
      figures.kept += kept;
      world.kill(kept);
    };
    // At some write from here on, or at any instant.
    let writes = chance.whole(1, 6);
    world.medium.onSync = () => {
      writes -= 1;
      if (writes > 0) return;
      world.clock.at(world.clock.trueNow() + chance.between(0, SYNC_MS), strike);
    };
    const started = world.begin();
    if (chance.chance(0.2)) {
      world.clock.at(world.clock.trueNow() + chance.between(0, 0.5 * HOUR), strike);
    }
    const end = world.clock.trueNow() + 2 * HOUR;
    while (!isDead && world.clock.trueNow() < end) await world.run(0.02);
    strike();
    void started;
    await world.run(chance.between(0, 0.2));
  }
  world.medium.onSync = () => {};
  await world.start();
  // To half past, when what an hour's edge brought is sent.
  await world.clock.run(Math.ceil(world.clock.trueNow() / HOUR) * HOUR + 3.5 * HOUR);
  return { ...figures, ...(await endOf(world)) };
}

async function endOf(world: VirtualWorld): Promise<Life> {
  const own = (await world.ask('audit')) as Life['own'];
  const events = (await world.ask('events')) as { events: { code: string }[] };
  await world.stop();
  const until = Math.floor((world.clock.trueNow() - HOUR / 4) / HOUR) * HOUR;
  const { lost, invented, findings } = world.audit(until);
  const told = events.events.filter(({ code }) => code.startsWith('journal.')).length;
  return { lost, invented, findings, own: { ok: own.ok, pending: own.pending }, told };
}
