// When a meter is read next: on a grid of its poll period that always holds the hour's edge.

import { type EpochMs, HOUR_MS, hourOf } from './units.ts';

/** The first instant of the poll grid after `now`: multiples of `pollMs` from each hour's edge, and the edge itself. */
export function nextPoll(now: EpochMs, pollMs: number): EpochMs {
  const hour = hourOf(now);
  const next = hour + (Math.floor((now - hour) / pollMs) + 1) * pollMs;
  return Math.min(next, hour + HOUR_MS);
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
