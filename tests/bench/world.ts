// How many meter-days a second the whole collector lives on virtual time, in one process on one core.

import { VirtualWorld } from '../whole/virtual-world.ts';
import { atLeast, type Figure } from './figure.ts';

const METERS = 25;
const DAYS = 7;

/** Meter-days a second over a week at 15-minute polls; the first two days, in which the program warms up, do not count. */
export async function benchWorld(): Promise<Figure[]> {
  const world = new VirtualWorld({ seed: 1, meters: METERS, check: () => undefined });
  await world.start();
  await world.run(48);
  const begun = process.cpuUsage();
  await world.run(24 * DAYS);
  const { user, system } = process.cpuUsage(begun);
  await world.stop();
  const perSecond = (METERS * DAYS) / ((user + system) / 1e6);
  return [atLeast('world', 'whole collector on virtual time', perSecond, 'meter-days/s', 100)];
}
