// The life of a leak that was raised: its rate gets exacter, it is told once a day, and it ends when it is disproved.

import { beginAnew, learnPeak, limitOf } from './bank.ts';
import { forgetNights } from './nights.ts';
import { finest, pieceOf, piecesWithin, quietest } from './pieces.ts';
import { gphOf, perHourOf, type Rates } from './rates.ts';
import { EVIDENCE, SINCE, type Standing, type Watch } from './state.ts';
import { countTrickle, remember } from './usual.ts';

/** A bound on the rate is taken so often, over a day, or over two for a drip, in hours. */
const BOUND_EVERY_H = 6;
const BOUND_H = 24;
const DRIP_BOUND_H = 47;
const DRIP_GPH = 1;
const BOUNDS = 28;
/** A stretch must hold so much of a count to bound the rate. */
const COUNTS_TO_BOUND = 0.8;
/** The rate is not believed to be much below that of the clock which outlived its limit, nor much above. */
const FLOOR = 0.72;
const CEILING = 1.2;
/** A leak runs on while its flow keeps this share of its rate. */
const KEEPS = 0.78;
/** Counts that may lag before it is disproved, at least and at most, and beyond the most it lagged while it ran. */
const LAG = 1.1;
const LAG_MAX = 2.5;
const LAG_BEYOND = 1.2;
/** A leak found this recently may prove to be a slower one, by evidence nearly as good as a new one needs. */
const DEMOTE_H = 24;
const DEMOTE_SHARE = 0.7;
const DEMOTE_LEAST = 0.15;
/** A leak stands beside another one when it is so many times faster; else it is that one. */
export const FASTER = 3;
/** A leak that ended by itself so soon was none, or not one worth a call: the like must be more surprising next time. */
const SELF_H = 168;
const SELF_CLOCKS = 4;
const SELF_PEAK = 2.2;
/** What ended so soon is remembered as usual at its time of the day. */
const USUAL_H = 48;
/** Slower ones may be a humidifier's, which comes and goes, in gallons an hour. */
const TRICKLE_GPH = 8;

/** The rate at which it is held to run, in counts an hour. */
function heldTo(one: Standing, rates: Rates): number {
  return Math.min(one.rate, CEILING * perHourOf(rates, one.clock));
}

/** Takes counts of `hours` in. True when the leak is disproved. */
function sink(one: Standing, rate: number, hours: number, counts: number): boolean {
  const lack = one.lack + KEEPS * rate * hours - counts;
  if (counts > 0) one.most = Math.max(one.most, Math.min(LAG_MAX, lack + counts));
  one.lack = Math.max(0, lack);
  return lack > Math.max(LAG, Math.min(LAG_MAX, LAG_BEYOND * one.most));
}

/** What the newest two days show of the lags of a leak that runs at this rate. */
export function learnLag(watch: Watch, one: Standing, rates: Rates): void {
  one.lack = 0;
  one.most = 0;
  const rate = heldTo(one, rates);
  for (let back = piecesWithin(watch, watch.now - one.since); back >= 1; back--) {
    const piece = pieceOf(watch, back);
    if (piece) sink(one, rate, piece.hours, piece.counts);
  }
}

/** Takes one reading in. True when the leak is over: disproved, and no slower one stands behind it. */
export function runsDry(
  watch: Watch,
  one: Standing,
  rates: Rates,
  hours: number,
  counts: number,
): boolean {
  return sink(one, heldTo(one, rates), hours, counts) && !demote(watch, one, rates);
}

/** The leak proves to be a slower one: found in a busy hour it was taken for more than it is. */
function demote(watch: Watch, one: Standing, rates: Rates): boolean {
  const { cells, now } = watch;
  if (now - one.changed > DEMOTE_H) return false;
  const others = watch.standing.filter((other) => other !== one).map(({ rate }) => rate);
  const least = Math.max(DEMOTE_LEAST * one.rate, FASTER * Math.max(0, ...others));
  for (let k = one.clock - 1; k >= 0 && perHourOf(rates, k) > least; k--) {
    const stands = (cells[SINCE + k] as number) <= one.since + 0.5;
    const enough = (cells[EVIDENCE + k] as number) >= DEMOTE_SHARE * limitOf(watch, rates, k);
    if (!stands || !enough) continue;
    const bound = boundOf(watch, one, rates, k, BOUND_H);
    one.clock = k;
    one.rate = Math.max(perHourOf(rates, k), Math.min(0.9 * one.rate, bound));
    one.bounds = [one.rate];
    learnLag(watch, one, rates);
    return true;
  }
  return false;
}

function boundOf(watch: Watch, one: Standing, rates: Rates, k: number, span: number): number {
  const least = COUNTS_TO_BOUND / perHourOf(rates, k);
  return finest(watch, Math.min(watch.now - one.since, span), least);
}

/** Every six hours: a new bound on the rate, and the median of a week of them as the rate. */
export function refine(watch: Watch, one: Standing, rates: Rates): void {
  if (watch.now - one.boundAt < BOUND_EVERY_H) return;
  one.boundAt = watch.now;
  const span = gphOf(rates, one.clock) < DRIP_GPH ? DRIP_BOUND_H : BOUND_H;
  const bound = boundOf(watch, one, rates, one.clock, span);
  if (!Number.isFinite(bound)) return;
  one.bounds.push(bound);
  if (one.bounds.length > BOUNDS) one.bounds.shift();
  const sorted = one.bounds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] as number;
  one.rate = Math.max(median, FLOOR * perHourOf(rates, one.clock));
  learnLag(watch, one, rates);
}

/** What the newest day leaves as possible rates, in counts an hour. */
export function rangeOf(watch: Watch, one: Standing, rates: Rates): readonly [number, number] {
  const clock = perHourOf(rates, one.clock);
  const span = Math.min(DRIP_BOUND_H, watch.now - one.since);
  const high = quietest(watch, span, clock);
  const low = Math.min(one.rate, 0.9 * clock);
  return [low, Number.isFinite(high) ? Math.max(one.rate, high) : one.rate];
}

/** Counts whose absence ends it, and in how many hours they would be missed. */
export function pauseToClear(one: Standing, rates: Rates): number {
  const lag = Math.max(LAG, Math.min(LAG_MAX, LAG_BEYOND * one.most));
  return lag / (KEEPS * heldTo(one, rates));
}

/** The leak is over: what it was is learned, and all clocks begin anew. */
export function close(watch: Watch, one: Standing, rates: Rates, hour: number): void {
  watch.standing = watch.standing.filter((other) => other !== one);
  const { now } = watch;
  const hours = now - one.since;
  if (hours < USUAL_H) {
    const start = (((hour - hours) % 24) + 24) % 24;
    remember(watch, { start, hours, perHour: one.rate });
  }
  if (now - one.raised < SELF_H) {
    const last = Math.min(rates.perHour.length - 1, one.clock + SELF_CLOCKS);
    for (let k = Math.max(0, one.clock - SELF_CLOCKS); k <= last; k++) {
      learnPeak(watch, k, SELF_PEAK * Math.min(one.observed, one.limit));
    }
  }
  if (one.rate * rates.q < TRICKLE_GPH) countTrickle(watch, one.rate);
  forgetNights(watch);
  beginAnew(watch, rates);
}
