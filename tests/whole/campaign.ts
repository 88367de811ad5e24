// A life of the whole collector on virtual time with faults drawn from a seed, then healed: the audit must pass.

import type { Audit } from '../../simulator/audit.ts';
import { Random } from '../../simulator/random.ts';
import { HOUR, START, VirtualWorld } from './virtual-world.ts';

export interface Life {
  readonly audit: Audit;
  readonly hash: string;
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the collector's own audit says at the end. */
  readonly own: unknown;
}

type Strike = (world: VirtualWorld, chance: Random) => Promise<void> | void;

const STRIKES: Readonly<Record<string, Strike>> = {
  silent(world, chance) {
    const place = world.places[chance.whole(0, world.places.length - 1)];
    if (place) world.silence(place.settings.meter, !place.silent);
  },
  unplugged(world, chance) {
    const bus = `bus-${chance.whole(1, 4)}`;
    if (chance.chance(0.5)) world.unplug(bus);
    else world.plugIn(bus);
  },
  brokerAway(world, chance) {
    world.broker.setUp(chance.chance(0.5));
  },
  linkCut(world) {
    world.broker.cut();
  },
  acksWithheld(world, chance) {
    world.broker.withheld = chance.chance(0.5) ? 'acks' : 'nothing';
  },
  writeFails(world, chance) {
    world.medium.failNext(chance.whole(1, 3), chance.chance(0.5) ? 'applied' : 'lost');
  },
  async killed(world, chance) {
    world.kill();
    await world.run(chance.between(0, 3));
    await world.start();
  },
};

/** Faults strike for `hours`, all is healed, and two hours later the collector stops. */
export async function liveThrough(seed: number, hours = 48, meters = 8): Promise<Life> {
  const world = new VirtualWorld({ seed, meters });
  const chance = new Random(`campaign/${seed}`);
  const kinds = Object.keys(STRIKES).filter(() => chance.chance(0.5));
  const faults: Record<string, number> = {};
  await world.start();
  const end = START + hours * HOUR;
  while (world.clock.trueNow() < end) {
    await world.run(chance.between(0.05, 4));
    const kind = kinds[chance.whole(0, kinds.length - 1)];
    const strike = kind === undefined ? undefined : STRIKES[kind];
    if (kind === undefined || strike === undefined) continue;
    faults[kind] = (faults[kind] ?? 0) + 1;
    await strike(world, chance);
  }
  heal(world);
  // Four hours to recover, and to half past, when what an hour's edge brought is sent.
  const now = world.clock.trueNow();
  await world.clock.run(Math.ceil(now / HOUR) * HOUR + 4.5 * HOUR);
  const own = await world.ask('audit');
  await world.stop();
  const until = Math.floor((world.clock.trueNow() - HOUR / 4) / HOUR) * HOUR;
  return { audit: world.audit(until), hash: world.hash(), faults, own };
}

function heal(world: VirtualWorld): void {
  world.broker.withheld = 'nothing';
  world.broker.setUp(true);
  world.medium.failNext(0);
  for (const bus of ['bus-1', 'bus-2', 'bus-3', 'bus-4']) world.plugIn(bus);
  for (const { settings } of world.places) world.silence(settings.meter, false);
}
