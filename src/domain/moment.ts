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

/** 2020-01-01: no collector lived before. A clock without a battery begins in 1970, 2000 or 2010, and is never right there. */
export const CLOCK_EPOCH_MS = 1_577_836_800_000;

/**
 * Over a restart an unsynchronised clock that shows so much earlier than what was known before has lost the time. Less is a
 * clock that was saved a while before a power cut.
 */
const LOST_MS = 24 * HOUR_MS;
/** For so long it is waited for that a lost clock is put right: to believe it would take back all hours since then. */
const LOST_HOLD_MS = 7 * 24 * HOUR_MS;

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
  /**
   * The wall clock has lost the time: what was known last, and what has passed since by the steady clock. It is not sooner
   * than that. Absent: not lost, or nothing was ever known.
   */
  readonly known?: EpochMs;
}

/** The clock as first met: held when it is known not to be synchronised, or cannot be right. */
export function firstClock(moment: Moment): ClockState {
  const { boot, at, mono, synced } = moment;
  const isHeld = synced === false || at < CLOCK_EPOCH_MS;
  return { boot, at, mono, heldSince: isHeld ? mono : null, waitedOut: false };
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

/** Whether the wall showed `at` since this boot began, as far as it has not stepped since. */
export function isOfThisBoot(at: EpochMs, { at: now, mono }: ClockState): boolean {
  return at >= now - mono;
}

/**
 * What was stamped `at`, by the wall as it stands at `moment` after a step: what this boot stamped steps along, what was stamped
 * before it stays, and nothing lies ahead.
 */
export function restamped(at: EpochMs, clock: ClockState, moment: Moment): EpochMs {
  const isAlong = clock.boot === moment.boot && isOfThisBoot(at, clock);
  return Math.min(moment.at, isAlong ? at + stepSince(clock, moment) : at);
}

/** The time that was known last, at `moment` at the earliest; undefined where nothing is known. */
function knownAt({ boot, at, mono, heldSince, known }: ClockState, moment: Moment) {
  const believed = heldSince === null && at >= CLOCK_EPOCH_MS ? at : undefined;
  const last = known ?? believed;
  return last === undefined || boot !== moment.boot ? last : last + moment.mono - mono;
}

/** Whether the wall clock shows what cannot be: a time before any collector, or long before what was known at the last life. */
function isLost(clock: ClockState, moment: Moment): boolean {
  if (moment.at < CLOCK_EPOCH_MS) return true;
  if (moment.synced !== false) return false;
  const sameBoot = clock.boot === moment.boot;
  // Within one life it is stepped by a person or a service, who know better.
  if (sameBoot && clock.known === undefined) return false;
  if (sameBoot && moment.mono - (clock.heldSince ?? moment.mono) >= LOST_HOLD_MS) return false;
  const known = knownAt(clock, moment);
  return known !== undefined && moment.at < known - LOST_MS;
}

/** The same clock, taken as it stands: an installation that ends waits for no better one. */
export function believed({ boot, at, mono }: ClockState): ClockState {
  return { boot, at, mono, heldSince: null, waitedOut: false };
}

/** Whether what it stamps bears no time: the true one is later by nobody knows how much. */
export function hasLostTime({ at, known }: ClockState): boolean {
  return known !== undefined || at < CLOCK_EPOCH_MS;
}

/** Held as long as it is lost: what is stamped goes on from what was known. */
function lostClock(clock: ClockState, moment: Moment): ClockState {
  const { boot, mono } = moment;
  const known = knownAt(clock, moment);
  const heldSince = clock.boot === boot ? (clock.heldSince ?? mono) : mono;
  const held = { boot, at: known ?? moment.at, mono, heldSince, waitedOut: false };
  return known === undefined ? held : { ...held, known };
}

/** The clock's state at `moment`; `heldSince` null means hours may close now. */
export function watchClock(clock: ClockState, moment: Moment, toleranceMs: number): ClockState {
  if (isLost(clock, moment)) return lostClock(clock, moment);
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
