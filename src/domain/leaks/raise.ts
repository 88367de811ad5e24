// When a leak is raised: by a clock that outlived its limit, by equal spacing, by louder nights, by a strong flow.

import { limitOf } from './bank.ts';
import { COARSE_LIMIT, PAUSES_FROM, type Spacing } from './coarse.ts';
import type { Regularity } from './gaps.ts';
import { louder } from './nights.ts';
import { finest, inPortions, pieceOf, quietest } from './pieces.ts';
import { COARSE_GALLONS, clockBelow, gphOf, perHourOf, type Rates } from './rates.ts';
import { FASTER, learnLag } from './standing.ts';
import {
  EVIDENCE,
  KNOWN,
  type LeakCode,
  SINCE,
  type Standing,
  type Watch,
  type Why,
} from './state.ts';
import { strongFlow, strongLimit } from './strong.ts';
import { hasEndedBefore, isUsual } from './usual.ts';

/** Gallons an hour from which a leak is a burst, and below which it is slow. */
const BURST_GPH = 60;
const SLOW_GPH = 1;
/** A gap between counts fits a clock when a leak of its rate makes this share of a count in it. */
const FITS_LOW = 0.62;
const FITS_HIGH = 1.06;
/** Evidence of a run of equal gaps that suffices by itself. */
const RUN_LIMIT = 12;
/** Below so much evidence no clock is looked at. */
const WORTH = 5;
/** The quietest bound of the last day may exceed the clock's rate by so much: what is faster is use. */
const CONSISTENT = 1.8;
const CONSISTENT_DRIP = 1.7;
const DRIP_GPH = 1.3;
/** Unless the evidence is so many times its limit. */
const BEYOND_DOUBT = 3;
const LOOKED_BACK_H = 24;
/** Flows like a garden's drip line are not told from a leak sooner, in gallons an hour and hours. */
const GARDEN_GPH = 8;
const GARDEN_H = 4.1;
/** Flows from so many gallons an hour on may be usual at their time of the day. */
const USUAL_GPH = 3;
/** In its first days, and for a clock never disproved, a meter needs more. */
const YOUNG_DAYS = 6;
const YOUNG_EVIDENCE = 12;
/** A coarse dial shows few pauses at all: for so many days nobody knows which are usual. */
const COARSE_YOUNG_DAYS = 7;
/** Evidence of louder nights that suffices by itself; together with a clock, the shares of both limits add up. */
const NIGHTS_LIMIT = 15;
const SHARE_LEAST = 0.6;
const SHARES = 1.6;
const NIGHTS_LEAST_H = 24;
const FLOOR = 0.72;

/** Equal gaps add to the evidence of the clocks they fit, where it has begun to grow. */
export function addRegular({ cells }: Watch, rates: Rates, regular: Regularity): void {
  for (let k = 0; k < rates.perHour.length; k++) {
    const evidence = cells[EVIDENCE + k] as number;
    if (evidence > 0 && fits(perHourOf(rates, k), regular)) {
      cells[EVIDENCE + k] = evidence + regular.evidence;
    }
  }
}

function fits(perHour: number, { hours }: Regularity): boolean {
  return perHour * hours >= FITS_LOW && perHour * hours <= FITS_HIGH;
}

/** Hours without a pause that a meter needs of which little is known. */
function youngHours(gph: number): number {
  if (gph >= 15) return 10;
  return gph >= 4 ? 18 : 18 * (4 / gph) ** 1.35;
}

interface Found {
  readonly clock: number;
  readonly since: number;
  readonly rate: number;
  readonly why: Why;
  readonly observed: number;
  readonly limit: number;
}

/** At `at` (epoch ms) with the dial's rates. */
export interface Glance {
  readonly at: number;
  readonly rates: Rates;
}

const hourOfDay = (at: number, hoursBefore: number): number =>
  (((at / 3_600_000 - hoursBefore) % 24) + 24) % 24;

/** The standing leak's rate that another must exceed by far; 0 for none. */
function standingRate({ standing }: Watch): number {
  return standing.reduce((most, one) => Math.max(most, one.rate), 0);
}

/** Looks for a leak after a reading. Null: none is found. */
export function look(watch: Watch, glance: Glance, regular: Regularity | null): Standing | null {
  const found = byClock(watch, glance, regular) ?? byStrength(watch, glance.rates);
  return found && stand(watch, glance, found);
}

function byClock(watch: Watch, glance: Glance, regular: Regularity | null): Found | null {
  const { rates } = glance;
  const isCoarse = rates.q >= COARSE_GALLONS;
  if (isCoarse && watch.days < COARSE_YOUNG_DAYS) return null;
  const floor = Math.max(isCoarse ? PAUSES_FROM : 0, FASTER * standingRate(watch));
  for (let k = rates.perHour.length - 1; k >= 0 && perHourOf(rates, k) >= floor; k--) {
    const even = regular !== null && regular.run > RUN_LIMIT && fits(perHourOf(rates, k), regular);
    if ((watch.cells[EVIDENCE + k] as number) < WORTH && !even) continue;
    const found = judge(watch, glance, k, even);
    if (found) return found;
  }
  return null;
}

/** Whether clock `k` means a leak now. */
function judge(watch: Watch, { at, rates }: Glance, k: number, even: boolean): Found | null {
  const limit = limitOf(watch, rates, k);
  if (!even && !isOld(watch, rates, k, limit)) return null;
  const observed = watch.cells[EVIDENCE + k] as number;
  const hours = watch.now - (watch.cells[SINCE + k] as number);
  const perHour = perHourOf(rates, k);
  const gph = gphOf(rates, k);
  const bound = quietest(watch, Math.min(LOOKED_BACK_H, Math.max(hours, 1)), perHour);
  const share = gph < DRIP_GPH ? CONSISTENT_DRIP : CONSISTENT;
  if (bound > share * perHour && observed < BEYOND_DOUBT * limit) return null;
  const flow = { start: hourOfDay(at, hours), hours, perHour };
  if (gph >= USUAL_GPH && isUsual(watch, flow, true)) return null;
  if (gph < GARDEN_GPH && hasEndedBefore(watch, hours, perHour)) return null;
  const why = even ? 'even_spacing' : 'no_pause';
  const rate = Math.max(bound, FLOOR * perHour);
  return { clock: k, since: watch.now - hours, rate, why, observed, limit };
}

/** Whether clock `k` has outlived its limit, and long enough. */
function isOld(watch: Watch, rates: Rates, k: number, limit: number): boolean {
  const { cells, words, now, days } = watch;
  const evidence = cells[EVIDENCE + k] as number;
  if (evidence < limit) return false;
  const gph = gphOf(rates, k);
  const hours = now - (cells[SINCE + k] as number);
  if (gph >= GARDEN_GPH && hours < GARDEN_H) return false;
  const young = days < YOUNG_DAYS || words[KNOWN + k] === 0;
  return !young || (evidence >= YOUNG_EVIDENCE && hours >= youngHours(gph));
}

function byStrength(watch: Watch, rates: Rates): Found | null {
  const flow = strongFlow(watch);
  if (!flow || flow.perHour < FASTER * standingRate(watch)) return null;
  const limit = strongLimit(watch, flow.perHour * rates.q);
  if (flow.hours < limit || isUsual(watch, flow, false)) return null;
  const clock = clockBelow(rates, flow.perHour);
  const { since } = watch.strong;
  return { clock, since, rate: flow.perHour, why: 'strong_flow', observed: flow.hours, limit };
}

/** Looks at what the counts of a coarse dial show. Null: it is what this meter has had before, as a shop by day. */
export function lookAtCounts(watch: Watch, glance: Glance, spacing: Spacing): Standing | null {
  const { since, perHour: rate, evidence: observed } = spacing;
  const hours = watch.now - since;
  const flow = { start: hourOfDay(glance.at, hours), hours, perHour: rate };
  if (isUsual(watch, flow, true)) return null;
  const clock = clockBelow(glance.rates, rate);
  return stand(watch, glance, {
    ...{ clock, since, rate, observed },
    why: 'even_counts',
    limit: COARSE_LIMIT,
  });
}

/** Looks for a drip when the bound of a day (counts an hour) has been taken in. Null: none is found. */
export function lookAtNights(watch: Watch, glance: Glance, bound: number): Standing | null {
  const { rates } = glance;
  const observed = louder(watch);
  const share = observed / NIGHTS_LIMIT;
  if (watch.standing.length > 0 || share < SHARE_LEAST || bound < perHourOf(rates, 0)) return null;
  const clock = clockBelow(rates, 0.9 * bound);
  const since = watch.cells[SINCE + clock] as number;
  const hours = watch.now - since;
  if (hours < NIGHTS_LEAST_H || hasEndedBefore(watch, hours, bound)) return null;
  if (share < 1) {
    const below = Math.max(0, clock - 1);
    const other = Math.max(shareOf(watch, rates, clock), shareOf(watch, rates, below));
    if (other < SHARE_LEAST || share + other < SHARES) return null;
  }
  const why = 'louder_nights';
  return stand(watch, glance, { clock, since, rate: bound, why, observed, limit: NIGHTS_LIMIT });
}

function shareOf(watch: Watch, rates: Rates, k: number): number {
  return (watch.cells[EVIDENCE + k] as number) / limitOf(watch, rates, k);
}

function stand(watch: Watch, { at, rates }: Glance, found: Found): Standing {
  const { now } = watch;
  const { clock, since } = found;
  const one: Standing = {
    ...found,
    ...{ alarm: watch.next, messages: 0, raised: now, changed: now, told: now },
    code: codeOf(watch, found, rates),
    sinceAt: Math.round(at - (now - since) * 3_600_000),
    ...{ bounds: [found.rate], boundAt: now },
    counts: countsSince(watch, since),
    ...{ lack: 0, most: 0 },
  };
  learnLag(watch, one, rates);
  watch.next += 1;
  watch.standing.push(one);
  // The finest bound is exacter than the one it was judged by.
  const least = 2 / perHourOf(rates, clock);
  const exact = finest(watch, Math.min(LOOKED_BACK_H, now - since), least);
  if (found.why !== 'strong_flow' && found.why !== 'even_counts' && exact < one.rate) {
    one.rate = Math.max(exact, FLOOR * perHourOf(rates, clock));
    one.bounds = [one.rate];
  }
  return one;
}

function codeOf(watch: Watch, { rate, since }: Found, rates: Rates): LeakCode {
  const gph = rate * rates.q;
  if (gph >= BURST_GPH) return 'flow.burst';
  if (inPortions(watch, Math.min(LOOKED_BACK_H, watch.now - since))) return 'leak.intermittent';
  return gph < SLOW_GPH ? 'leak.slow' : 'leak.continuous';
}

/** Counts since the evidence began, as far back as two days. */
function countsSince(watch: Watch, since: number): number {
  let counts = watch.openCounts;
  let hours = watch.openHours;
  for (let back = 1; hours < watch.now - since; back++) {
    const piece = pieceOf(watch, back);
    if (!piece) break;
    hours += piece.hours;
    counts += piece.counts;
  }
  return counts;
}
