// Faults of buses, clocks and media in the running collector: whatever they hide, they neither raise nor clear a leak.

import { expect, it } from 'vitest';
import { Random } from '../../simulator/random.ts';
import { alertsHeard, courseOf, HOUR, START, VirtualWorld, wrongCourses } from './street.ts';

/** The first home leaks 6 gallons an hour from the first day to the last; in the others nothing does. */
const OPTIONS = { seed: 8, meters: 5, check: () => undefined };
const DAYS = 7;

type Strike = (world: VirtualWorld, chance: Random) => Promise<void> | void;

const STRIKES: readonly Strike[] = [
  (world, chance) => {
    const place = world.places[chance.whole(0, world.places.length - 1)];
    if (place) world.silence(place.settings.meter, !place.silent);
  },
  (world, chance) => {
    const bus = `bus-${chance.whole(1, 4)}`;
    if (chance.chance(0.4)) world.unplug(bus);
    else world.plugIn(bus);
  },
  (world, chance) =>
    world.medium.failNext(chance.whole(1, 3), chance.chance(0.5) ? 'applied' : 'lost'),
  async (world, chance) => {
    world.kill(chance.whole(0, 2));
    await world.run(chance.between(0, 6));
    await world.start();
  },
  // A wrong clock, seen as such or not, that is put right some hours later.
  async (world, chance) => {
    const by = chance.whole(-30, 30) * HOUR;
    if (chance.chance(0.5)) world.clock.setSynced(false);
    world.clock.stepWall(by);
    await world.run(chance.between(0.1, 5));
    world.clock.stepWall(-by);
    world.clock.setSynced(true);
  },
  // It starts with the clock of other days, and is told the time later.
  async (world, chance) => {
    world.kill();
    world.clock.setSynced(false);
    const by = -chance.whole(1, 9) * 24 * HOUR;
    world.clock.stepWall(by);
    await world.start();
    await world.run(chance.between(0.1, 3));
    world.clock.stepWall(-by);
    world.clock.setSynced(true);
  },
];

it.each([1, 2, 3, 4, 5])(
  'in a life full of faults, number %i',
  async (seed) => {
    const world = new VirtualWorld(OPTIONS);
    const chance = new Random(`faults ${seed}`);
    await world.start();
    // Long enough for the leak to be found.
    await world.run(48);
    const end = START + DAYS * 24 * HOUR;
    while (world.clock.trueNow() < end) {
      await world.run(chance.between(0.2, 6));
      await STRIKES[chance.whole(0, STRIKES.length - 1)]?.(world, chance);
    }
    for (const bus of ['bus-1', 'bus-2', 'bus-3', 'bus-4']) world.plugIn(bus);
    for (const { settings } of world.places) world.silence(settings.meter, false);
    await world.run(24);
    const standing = (await world.ask('alerts', { meter: 'SP-00001' })) as {
      meters: { standing: { code: string }[] }[];
    };
    await world.stop();
    const heard = alertsHeard(world, /^(?:leak\.|flow\.burst)/);
    expect(wrongCourses(heard)).toEqual([]);
    const edges = heard.filter(({ phase }) => phase !== 'update').map(courseOf);
    expect(edges).toEqual([expect.stringMatching(/^SP-00001 leak\.continuous raise/)]);
    expect(standing.meters[0]?.standing.map(({ code }) => code)).toContain('leak.continuous');
  },
  60_000,
);
