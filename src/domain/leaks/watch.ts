// The leak watch of one meter: accepted readings in, leaks raised, told and cleared out.

import type { Evidence, Phase, Severity } from '../alarms.ts';
import type { Dial } from '../units.ts';
import { breakOff, fade, turn } from './bank.ts';
import { breakPace, fadePace, spaceCoarse } from './coarse.ts';
import { type Regularity, space } from './gaps.ts';
import { NIGHT_EVERY_H, NIGHT_SPAN_H, NO_NIGHTS, takeNight } from './nights.ts';
import { cut, finest, LEAST_PIECE_H, longestPiece, pieceOf } from './pieces.ts';
import { addRegular, look, lookAtCounts, lookAtNights } from './raise.ts';
import { COARSE_GALLONS, type Rates, ratesOf } from './rates.ts';
import { close, pauseToClear, rangeOf, refine, runsDry } from './standing.ts';
import { type LeakCode, NO_GAPS, newWatch, type Standing, type Watch } from './state.ts';
import { runOn, stop } from './strong.ts';

export { loadWatch, type SavedWatch, saveNumbers, saveWatch, type Watch } from './state.ts';

export interface WatchRules {
  readonly dial: Dial;
  readonly pollMs: number;
}

/** One accepted reading. */
export interface WatchStep {
  /** Wall time of the reading, epoch ms: it dates events and tells the hour of the day, nothing else. */
  readonly at: number;
  /** True time since the accepted reading before, in milliseconds. */
  readonly elapsedMs: number;
  /** Counts moved since then, rollover resolved; negative when the dial went back. */
  readonly counts: number;
  /** Nobody knows how long it was, or whether the counts are use: a restart without a clock, a confirmed jump. */
  readonly broken: boolean;
}

/** One message about a leak; `alarm` is the same from raise to clear, `message` counts from 0. */
export interface LeakEvent {
  readonly alarm: number;
  readonly message: number;
  readonly code: LeakCode;
  readonly severity: Severity;
  readonly phase: Phase;
  readonly at: number;
  readonly since: number;
  readonly data: Evidence;
}

/** Readings further apart than so many polls are missed polls between them. */
const MISSED_POLLS = 2.5;
/** Time of one reading that counts as watched, in polls. */
const WATCHED_POLLS = 1.05;
/** Without a count for so long nobody is at home, and nothing is learned, in hours. */
const ABSENT_H = 12;
/** Counts of a coarse dial that came while polls were missed for longer may have come at any distance, in hours. */
const BLURRED_H = 2;
/** A dial that went back has so long to make it good; then it is where it is, in hours. */
const DEBT_H = 24;
/** Clocks this far above a standing leak go on learning. */
const LEARN_ABOVE = 4;
/** A standing leak is told anew at most so often, in hours. */
const UPDATE_H = 24;
/** Gallons an hour from which a leak is major. */
const MAJOR_GPH = 20;

/** The watch of an installation that begins: another meter has no past. */
export function beginWatch(): Watch {
  return newWatch({ ...NO_NIGHTS });
}

/**
 * Takes one accepted reading in. The state is changed in place and given back: the one handed in must not be used again
 * (`saveWatch` copies). The same state and readings give the same events, before and after being saved.
 */
export function watch(
  state: Watch,
  step: WatchStep,
  rules: WatchRules,
): { readonly state: Watch; readonly events: readonly LeakEvent[] } {
  const events: LeakEvent[] = [];
  // Of time that nobody knows nothing is learned: a clock in 1970 must not make a young meter an old one.
  const hours = step.broken ? 0 : Math.max(0, step.elapsedMs) / 3_600_000;
  state.now += hours;
  const counts = settle(state, hours, step.counts, step.broken);
  for (const one of state.standing) one.counts += Math.max(0, step.broken ? 0 : step.counts);
  if (counts === null) {
    breakWatch(state);
    return { state, events };
  }
  new Reading(state, step, rules, events).take(hours, counts);
  return { state, events };
}

/** Counts that are use: what the dial went back is made good first. Null: nobody can tell. */
function settle(state: Watch, hours: number, counts: number, broken: boolean): number | null {
  if (broken) return null;
  if (state.debt === 0 && counts >= 0) return counts;
  state.debt = Math.max(0, state.debt - counts);
  state.debtHours = state.debt === 0 ? 0 : state.debtHours + hours;
  if (state.debtHours < DEBT_H) return null;
  state.debt = 0;
  state.debtHours = 0;
  return null;
}

/** Nothing is raised, cleared or learned across what nobody knows. */
function breakWatch(state: Watch): void {
  breakOff(state, topClock(state));
  Object.assign(state.gap, NO_GAPS);
  stop(state);
  breakPace(state);
  state.unbroken = 0;
  state.openCounts = 0;
  state.openHours = 0;
  for (const one of state.standing) one.lack = 0;
}

/** The clock of the fastest leak that stands; -1: none does. */
const topClock = ({ standing }: Watch): number =>
  standing.reduce((most, one) => Math.max(most, one.clock), -1);

/** One reading on its way through the watch. */
class Reading {
  readonly #watch: Watch;
  readonly #at: number;
  readonly #rates: Rates;
  readonly #pollH: number;
  readonly #events: LeakEvent[];

  constructor(state: Watch, step: WatchStep, rules: WatchRules, events: LeakEvent[]) {
    this.#watch = state;
    this.#at = step.at;
    this.#rates = ratesOf(rules.dial);
    this.#pollH = rules.pollMs / 3_600_000;
    this.#events = events;
  }

  take(hours: number, counts: number): void {
    const state = this.#watch;
    const missed = hours > MISSED_POLLS * this.#pollH;
    if (missed) state.away += hours - WATCHED_POLLS * this.#pollH;
    state.unbroken += hours;
    state.idle = counts > 0 ? 0 : state.idle + hours;
    this.#turn(hours, counts, missed);
    this.#passDay();
    const regular = space(state, hours, counts, this.#pollH, missed);
    if (regular) addRegular(state, this.#rates, regular);
    const closed = cut(state, hours, counts);
    if (closed) this.#piece(missed);
    this.#clear(hours, counts);
    const isCoarse = this.#rates.q >= COARSE_GALLONS;
    if (isCoarse) this.#count(hours, counts, missed);
    // A count of a coarse dial is many draws together: by themselves they come evenly in any busy house.
    if (closed || counts > 0) this.#raise(isCoarse ? null : regular);
  }

  #count(hours: number, counts: number, missed: boolean): void {
    if (missed && counts > 0 && hours > BLURRED_H) breakPace(this.#watch);
    const spacing = spaceCoarse(this.#watch, counts, this.#watch.standing.length > 0);
    if (!spacing) return;
    const found = lookAtCounts(this.#watch, { at: this.#at, rates: this.#rates }, spacing);
    if (found) this.#tell(found, 'raise');
  }

  #turn(hours: number, counts: number, missed: boolean): void {
    const state = this.#watch;
    const top = topClock(state);
    const never = Number.POSITIVE_INFINITY;
    const learnFrom = state.idle > ABSENT_H ? never : top < 0 ? 0 : top + LEARN_ABOVE;
    const doubtFrom = missed ? top + 1 : never;
    const watched = Math.min(hours, WATCHED_POLLS * this.#pollH);
    turn(state, this.#rates, { at: this.#at, hours, watched, counts, learnFrom, doubtFrom });
  }

  #passDay(): void {
    const state = this.#watch;
    const day = Math.floor((state.now - state.away) / 24);
    if (day <= state.days) return;
    state.days = day;
    if (state.standing.length === 0) fade(state);
    fadePace(state, state.standing.length > 0);
  }

  #piece(missed: boolean): void {
    const state = this.#watch;
    const { q } = this.#rates;
    const piece = pieceOf(state, 1);
    if (missed) stop(state);
    else if (piece) runOn(state, piece, q, this.#hour());
    for (const one of state.standing) refine(state, one, this.#rates);
    if (state.now - state.nights.at >= NIGHT_EVERY_H) this.#night();
    for (const one of state.standing) {
      if (state.now - one.told >= UPDATE_H) this.#tell(one, 'update');
    }
  }

  #night(): void {
    const state = this.#watch;
    state.nights.at = state.now;
    if (state.now < NIGHT_SPAN_H || this.#rates.q >= COARSE_GALLONS) return;
    // A stretch over which nobody read mixes day and night: it says nothing of how quiet either was.
    const longest = Math.max(MISSED_POLLS * this.#pollH, 2 * LEAST_PIECE_H);
    if (longestPiece(state, NIGHT_SPAN_H) > longest) return;
    const bound = finest(state, NIGHT_SPAN_H, 0);
    takeNight(state, bound * this.#rates.q, this.#rates.q, state.standing.length > 0);
    const found = lookAtNights(state, { at: this.#at, rates: this.#rates }, bound);
    if (found) this.#tell(found, 'raise');
  }

  #clear(hours: number, counts: number): void {
    const state = this.#watch;
    for (const one of [...state.standing]) {
      if (state.now <= one.raised || !runsDry(state, one, this.#rates, hours, counts)) continue;
      this.#tell(one, 'clear');
      close(state, one, this.#rates, this.#hour());
    }
  }

  #raise(regular: Regularity | null): void {
    const found = look(this.#watch, { at: this.#at, rates: this.#rates }, regular);
    if (found) this.#tell(found, 'raise');
  }

  #hour(): number {
    return (this.#at / 3_600_000) % 24;
  }

  #tell(one: Standing, phase: Phase): void {
    const { alarm, code, sinceAt: since, messages: message } = one;
    const severity = one.rate * this.#rates.q >= MAJOR_GPH ? 'major' : 'minor';
    const data = this.#evidence(one);
    this.#events.push({ alarm, message, code, severity, phase, at: this.#at, since, data });
    one.messages += 1;
    one.told = this.#watch.now;
  }

  /** E3. Rates in counts an hour: volume is made of them where they are told. */
  #evidence(one: Standing): Evidence {
    const [low, high] = rangeOf(this.#watch, one, this.#rates);
    const hours = this.#watch.now - one.since;
    return {
      why: one.why,
      rate: figures(one.rate),
      rate_low: figures(low),
      rate_high: figures(high),
      hours: figures(hours),
      counts: one.counts,
      leak_counts: Math.round(one.rate * hours),
      observed: figures(one.observed),
      limit: figures(one.limit),
      clears: 'a pause',
      clears_after_h: figures(pauseToClear(one, this.#rates)),
    };
  }
}

/** Three figures: nobody knows a leak better. */
function figures(number: number): number {
  return Number(number.toPrecision(3));
}
