// How far retention has come: by time that was lived, for a wall clock that jumps makes nothing old.

import type { EpochMs } from './units.ts';

/**
 * Behind the wall clock it makes up an hour in a day that is lived: a collector that was off for a month, or whose clock is
 * a year ahead for an hour, drops nothing the sooner.
 */
const CATCH_UP = 1 / 24;

/**
 * The instant by which things are old, given the one of the look before (null: never looked), the wall clock now and the
 * milliseconds lived between the two looks. It never passes the wall clock, and goes no faster than life by more than
 * an hour in a day.
 */
export function agedTo(before: EpochMs | null, wall: EpochMs, livedMs: number): EpochMs {
  if (before === null || wall <= before) return wall;
  return Math.min(wall, before + Math.floor(livedMs * (1 + CATCH_UP)));
}

/** What is to be remembered for the next look: a wall clock that went back does not take retention back with it. */
export function agedSince(before: EpochMs | null, aged: EpochMs): EpochMs {
  return before === null ? aged : Math.max(before, aged);
}
