// When something was seen: the wall clock, and the clock that never steps by which a wrong wall clock is put right (I10).

import { type EpochMs, HOUR_MS } from './units.ts';

/** One instant on both clocks. `synced` null: nobody can tell whether the wall clock is right. */
export interface Moment {
  readonly at: EpochMs;
  readonly boot: string;
  /** Milliseconds that never step, within one `boot`. */
  readonly mono: number;
  readonly synced: boolean | null;
}

/** After so long a wall clock is believed as it stands (I10). */
const HOLD_MS = 15 * 60_000;

/** Water may have run for so long when no clock can tell how long the collector was away. */
export const UNKNOWN_ABSENCE_MS = 30 * 24 * HOUR_MS;

/** No collector is away for longer: a wall clock that says so was wrong at one end, whoever believed it. */
export const ABSENCE_MAX_MS = 400 * 24 * HOUR_MS;

/** What is remembered of the clocks between two observations. */
export interface ClockState {
  readonly boot: string;
  readonly at: EpochMs;
  readonly mono: number;
  /** Since when, on `mono`, hours are held open because the wall clock is doubtful; null while it is believed. */
  readonly heldSince: number | null;
  /** The doubt about an unsynchronised clock has had its 15 minutes. */
  readonly waitedOut: boolean;
}

/** The clock as first met: held when it is known not to be synchronised. */
export function firstClock(moment: Moment): ClockState {
  const { boot, at, mono, synced } = moment;
  return { boot, at, mono, heldSince: synced === false ? mono : null, waitedOut: false };
}

/**
 * True time that passed since `clock`, in milliseconds: by the steady clock within a boot, else by the wall, where both ends
 * are believed. A clock that was in 1970 would let every flow pass, and make a dial that ran back turn all the way round.
 */
export function elapsedSince(clock: ClockState, moment: Moment): number {
  if (clock.boot === moment.boot) return moment.mono - clock.mono;
  if (clock.heldSince !== null || clock.waitedOut) return UNKNOWN_ABSENCE_MS;
  if (moment.at <= clock.at) return UNKNOWN_ABSENCE_MS;
  return Math.min(moment.at - clock.at, ABSENCE_MAX_MS);
}

/** How far the wall clock stepped since `clock`, in milliseconds; a wall gone back over a boot counts as a step. */
export function stepSince(clock: ClockState, moment: Moment): number {
  const wall = moment.at - clock.at;
  if (clock.boot === moment.boot) return wall - (moment.mono - clock.mono);
  return Math.min(0, wall);
}

/** The clock's state at `moment`; `heldSince` null means hours may close now. */
export function watchClock(clock: ClockState, moment: Moment, toleranceMs: number): ClockState {
  const sameBoot = clock.boot === moment.boot;
  const stepped = Math.abs(stepSince(clock, moment)) > toleranceMs;
  const since = sameBoot || clock.heldSince === null ? clock.heldSince : moment.mono;
  const waitedOut = clock.waitedOut && sameBoot && moment.synced === false && !stepped;
  const { boot, at, mono } = moment;
  if (moment.synced === true) return { boot, at, mono, heldSince: null, waitedOut: false };
  const doubtful = stepped || since !== null || (moment.synced === false && !waitedOut);
  if (!doubtful) return { boot, at, mono, heldSince: null, waitedOut };
  const heldSince = stepped ? mono : (since ?? mono);
  const isOver = mono - heldSince >= HOLD_MS;
  return isOver
    ? { boot, at, mono, heldSince: null, waitedOut: true }
    : { boot, at, mono, heldSince, waitedOut };
}
