// The candidate leaks of a dial: which rates are watched for, in counts an hour, and what they are in gallons.

import type { Dial, VolumeUnit } from '../units.ts';

/** US gallons in one of the unit; 1 gal is 231 in3, 1 ft3 is 1728 in3, 1 in is 25.4 mm: all exact. */
export const GALLONS: Readonly<Record<VolumeUnit, number>> = {
  gal: 1,
  ft3: 1728 / 231,
  L: 1 / 3.785411784,
  m3: 1000 / 3.785411784,
};

/** What makes the size of one count. */
export type Resolution = Pick<Dial, 'unit' | 'pow10'>;

/** US gallons in one count of the dial. */
export function gallonsPerCount(dial: Resolution): number {
  return GALLONS[dial.unit] * 10 ** dial.pow10;
}

/** Below this no leak is looked for, in gallons an hour: mechanical meters do not measure it. */
const SLOWEST_GPH = 0.2;
/** A leak whose counts are further apart than this cannot be told from use, in hours. */
const SLOWEST_COUNT_H = 40;
/** From so many gallons a count on, nights show nothing, and the spacing of counts must do. */
export const COARSE_GALLONS = 20;
/** The fastest leak that has a clock of its own; a faster one outlives the same clock. */
const FASTEST_GPH = 620;
/** The same on a coarse dial, where no strong flow is told from busy hours by its evenness. */
const FASTEST_COARSE_GPH = 5000;
/** Rates lie so far apart: finely where people want to know the rate, coarsely where any is a burst. */
const FINE = 1.22;
const COARSE = 1.4;
const COARSE_FROM_GPH = 40;

/** Clocks at most: what a state may cost. */
export const CLOCKS_MAX = 36;

export interface Rates {
  /** Gallons in a count. */
  readonly q: number;
  /** Candidate leaks in counts an hour, rising. */
  readonly perHour: Float64Array;
}

const KNOWN = new Map<string, Rates>();
/** The same by dial: it is asked at every reading, and a meter's dial is the same object from one to the next. */
const OF_DIAL = new WeakMap<Resolution, Rates>();

/** The rates watched on a dial; made once for each resolution. */
export function ratesOf(dial: Resolution): Rates {
  const known = OF_DIAL.get(dial);
  if (known) return known;
  const key = `${dial.unit} ${dial.pow10}`;
  const rates = KNOWN.get(key) ?? makeRates(dial);
  KNOWN.set(key, rates);
  OF_DIAL.set(dial, rates);
  return rates;
}

function makeRates(dial: Resolution): Rates {
  const q = gallonsPerCount(dial);
  const gph: number[] = [];
  let rate = Math.max(SLOWEST_GPH, q / SLOWEST_COUNT_H);
  const isCoarse = q >= COARSE_GALLONS;
  const fastest = Math.max(isCoarse ? FASTEST_COARSE_GPH : FASTEST_GPH, 4 * rate);
  while (rate <= fastest && gph.length < CLOCKS_MAX) {
    gph.push(rate);
    rate *= rate < COARSE_FROM_GPH ? FINE : COARSE;
  }
  return { q, perHour: Float64Array.from(gph, (one) => one / q) };
}

/** The rate of clock `k` in counts an hour. */
export const perHourOf = (rates: Rates, k: number): number => rates.perHour[k] as number;

/** The rate of clock `k` in gallons an hour. */
export const gphOf = (rates: Rates, k: number): number => perHourOf(rates, k) * rates.q;

/** The fastest clock that is no faster than `perHour`; 0 where all are. */
export function clockBelow(rates: Rates, perHour: number): number {
  let k = 0;
  while (k + 1 < rates.perHour.length && perHourOf(rates, k + 1) <= perHour) k += 1;
  return k;
}
