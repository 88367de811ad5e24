// What a fault of the hostile world is: its id in the project's fault matrix, what it does, how often, and how it is healed.

import type { Random } from '../../simulator/random.ts';
import type { HostileWorld } from './hostile-world.ts';
import { meterOf, type Place } from './street.ts';

export interface FaultKind {
  /** As in the fault matrix; a letter more where one line of it is several faults. */
  readonly id: string;
  readonly means: string;
  /** Strikes a day in the whole world, from the rarest to the most frequent seed. */
  readonly perDay: readonly [number, number];
  /** Strikes once. What lasts is taken back by an errand. */
  strike(world: HostileWorld, chance: Random): void | Promise<void>;
}

export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** One of a list; undefined of an empty one. */
export function oneOf<T>(list: readonly T[], chance: Random): T | undefined {
  return list[chance.whole(0, Math.max(0, list.length - 1))];
}

/** A place that `fits`, and whose cables, dial and body nobody else is working on. */
export function freePlace(
  world: HostileWorld,
  chance: Random,
  fits: (place: Place) => boolean = () => true,
): Place | undefined {
  const free = world.places.filter(
    (place) => fits(place) && !world.taken.has(meterOf(place)) && !world.absent.has(meterOf(place)),
  );
  return oneOf(free, chance);
}
