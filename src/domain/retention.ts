// How far retention has come: by time that was lived, for a wall clock that jumps makes nothing old.

import type { EpochMs } from './units.ts';

/**
 * Behind the wall clock it makes up an hour in a day that is lived: a collector that was off for a month, or whose clock is
 * a year ahead for an hour, drops nothing the sooner.
 */
const CATCH_UP = 1 / 24;

/**
 * Where room is short it goes twice as fast as life: after a month off what is older than that month may go at once. Of a clock that is
 * ahead for a day nothing is old that it stamped: what lies in the future is to be taken back (I10), and can only be while it is held.
 */
export const CATCH_UP_FOR_ROOM = 1;

/**
 * The instant by which things are old, given the one of the look before (null: never looked), the wall clock now and the
 * milliseconds lived between the two looks. It never passes the wall clock, and goes faster than life by no more than
 * `catchUp`.
 */
export function agedTo(
  before: EpochMs | null,
  wall: EpochMs,
  livedMs: number,
  catchUp = CATCH_UP,
): EpochMs {
  if (before === null || wall <= before) return wall;
  return Math.min(wall, before + Math.floor(livedMs * (1 + catchUp)));
}

/** What is to be remembered for the next look: a wall clock that went back does not take retention back with it. */
export function agedSince(before: EpochMs | null, aged: EpochMs): EpochMs {
  return before === null ? aged : Math.max(before, aged);
}
