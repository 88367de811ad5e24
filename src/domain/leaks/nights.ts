// How quiet the quietest stretch of each day is: a drip lifts it day after day above all that this meter has shown.

import { NIGHT, NIGHTS, type NightState, type Watch } from './state.ts';

/** The bound is taken so often, over so long, in hours; a day has four. */
export const NIGHT_EVERY_H = 6;
export const NIGHT_SPAN_H = 30;
const A_DAY = 24 / NIGHT_EVERY_H;
/** Days looked at together. */
const LOOKED = 4;

/** A house of which nothing is known: its quietest bound in gallons an hour, and how far its days differ (as logarithms). */
const PRIOR_MEAN = Math.log(0.14);
const NIGHT_H = 7;
const COARSENESS = 1.2;
const PRIOR_SPREAD = 0.4;
const PRIOR_DAYS = 3;
const PRIOR_SPREAD_DAYS = 8;
const MEMORY_DAYS = 28;
/** Tails like those of a t distribution of so many degrees. */
const DEGREES = 8;
/** Days whose bounds differ by more than a factor of two are not one leak. */
const ALIKE = Math.LN2;

export const NO_NIGHTS: NightState = {
  ...{ days: 0, mean: PRIOR_MEAN, variance: PRIOR_SPREAD ** 2, taken: 0, at: 0 },
};

/** Takes in one bound (gallons an hour); four days later it is learned, so that a leak does not teach its own level. */
export function takeNight(
  { cells, nights }: Watch,
  gph: number,
  gallonsPerCount: number,
  alarmed: boolean,
): void {
  // A coarse count hides how quiet a night is.
  const least = Math.log((COARSENESS * gallonsPerCount) / NIGHT_H);
  if (nights.days === 0) nights.mean = Math.max(PRIOR_MEAN, least);
  const at = NIGHT + (nights.taken % NIGHTS);
  const due = nights.taken >= NIGHTS && nights.taken % A_DAY === 0;
  if (due && !alarmed) learn(nights, cells[at] as number);
  cells[at] = Math.log(gph);
  nights.taken += 1;
}

/** Absence makes a night quieter than any leak cares for; a party louder: neither counts in full. */
function learn(nights: NightState, seen: number): void {
  const spread = Math.sqrt(nights.variance);
  const least = nights.mean - 2.5 * spread;
  const off = Math.max(least, Math.min(nights.mean + 4 * spread, seen)) - nights.mean;
  nights.days = Math.min(MEMORY_DAYS, nights.days + 1);
  nights.mean += off / (nights.days + PRIOR_DAYS);
  nights.variance += (off * off - nights.variance) / (nights.days + PRIOR_SPREAD_DAYS);
}

/** After a leak the days not learned yet say nothing of the house. */
export function forgetNights({ nights }: Watch): void {
  nights.taken = 0;
}

/** Evidence (as -ln of a chance) of the newest days together that the house has become louder. */
export function louder({ cells, nights }: Watch): number {
  const { taken, mean, variance, days } = nights;
  const spread = Math.sqrt(variance * (1 + 1 / (days + 1)));
  let evidence = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let day = 0; day < LOOKED; day++) {
    const back = 1 + day * A_DAY;
    if (back > Math.min(taken, NIGHTS)) break;
    const seen = cells[NIGHT + ((taken - back) % NIGHTS)] as number;
    low = Math.min(low, seen);
    high = Math.max(high, seen);
    const z = (seen - mean) / spread;
    if (high - low > ALIKE || z <= 0) break;
    evidence += Math.LN2 + (DEGREES / 2) * Math.log(1 + (z * z) / DEGREES);
  }
  return evidence;
}
