// When a meter is read next: on a grid of its poll period that always holds the hour's edge.

import { type EpochMs, HOUR_MS, hourOf } from './units.ts';

/** How often a meter is read between two hours' edges, in milliseconds. */
export interface Rhythm {
  readonly pollMs: number;
  /** How much earlier (negative) or later than on the even grid it is read, so that a bus's meters do not fall together. */
  readonly phaseMs: number;
  /** How far from an edge a reading counts for it. */
  readonly toleranceMs: number;
}

/**
 * The first instant of the poll grid after `now`: the hour's edges, and in between one poll each period, shifted by
 * `phaseMs` (less than a period). What falls so near before an edge that it would count for it is left to the edge's own
 * read, unless the meter is polled so often that this would be felt.
 */
export function nextPoll(now: EpochMs, { pollMs, phaseMs, toleranceMs }: Rhythm): EpochMs {
  const hour = hourOf(now);
  const near = Math.min(toleranceMs, pollMs / 4);
  const periods = Math.max(1, Math.floor((now - hour - phaseMs) / pollMs) + 1);
  const even = periods * pollMs;
  return hour + (Math.max(even, even + phaseMs) >= HOUR_MS - near ? HOUR_MS : even + phaseMs);
}

/** The shift of the `place`-th of `count` meters: they share half a period, so that no pause is longer than 1.25 periods. */
export function phaseOf(place: number, count: number, pollMs: number): number {
  return Math.round((pollMs * ((place + 0.5) / count - 0.5)) / 2);
}

/** However long a meter has been away, it is asked again after this at the latest: one time-out in so long hurts nobody. */
export const PROBE_MAX_MS = 5 * 60_000;

/**
 * How long a meter that failed `failures` times in a row is left alone, beyond the next instant of its grid: nothing
 * after the first time, then longer and longer up to PROBE_MAX_MS or one poll period. `random` in [0, 1) keeps meters
 * that failed together from being asked together.
 */
export function restAfter(failures: number, pollMs: number, random: number): number {
  if (failures < 2) return 0;
  return backOff(failures - 2, pollMs, Math.max(pollMs, PROBE_MAX_MS), random);
}

/** The instant after which the open hour that ends at or before `now` can no longer be read, else the next such instant. */
export function nextClosing(now: EpochMs, toleranceMs: number): EpochMs {
  const edge = hourOf(now) + toleranceMs;
  return now <= edge ? edge + 1 : edge + HOUR_MS + 1;
}

/** A pause that doubles from `baseMs` with each failure up to `maxMs`, spread by `random` in [0, 1) over its upper half. */
export function backOff(failures: number, baseMs: number, maxMs: number, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
  return full / 2 + (full / 2) * random;
}

/** A number in [0, 1) that a text always gives: spreads collectors over the hourly send (A4). */
export function spreadOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash / 0x1_0000_0000;
}
