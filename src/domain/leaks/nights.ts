// How quiet the quietest stretch of each day is: a drip lifts it day after day, above all that this meter has shown.

/** The bound is taken so often, in hours; a day has four. */
export const EVERY_H = 6;
const A_DAY = 4;
/** Days that are kept back before they are learned, so that a leak does not teach its own level. */
const KEPT_BACK = 4;
/** Days looked at together. */
const LOOKED = 4;

/** A house of which nothing is known: its quietest bound in gallons an hour, how far houses and days differ (ln). */
const PRIOR_LN = Math.log(0.14);
const PRIOR_DAYS = 3;
const PRIOR_SPREAD = 0.4;
const PRIOR_SPREAD_DAYS = 8;
const MEMORY_DAYS = 28;
/** Tails like those of a t distribution of so many degrees. */
const DEGREES = 8;

export interface Nights {
  /** Days learned, at most the memory; mean and variance of ln(bound in gallons an hour). */
  days: number;
  mean: number;
  variance: number;
  /** The newest bounds, as ln; the ring's next place is `taken` modulo its size. */
  readonly recent: Float32Array;
  taken: number;
  at: number;
}

export function newNights(): Nights {
  const recent = new Float32Array(A_DAY * KEPT_BACK);
  return { days: 0, mean: PRIOR_LN, variance: PRIOR_SPREAD ** 2, recent, taken: 0, at: 0 };
}

/** Takes in one bound (gallons an hour); the one it pushes out is learned unless `alarmed`. */
export function night(nights: Nights, bound: number, alarmed: boolean): void {
  const { recent } = nights;
  const at = nights.taken % recent.length;
  if (nights.taken >= recent.length && nights.taken % A_DAY === 0 && !alarmed) {
    learn(nights, recent[at] as number);
  }
  recent[at] = Math.log(bound);
  nights.taken += 1;
}

export const N = { deg: DEGREES };

function learn(nights: Nights, seen: number): void {
  const spread = Math.sqrt(nights.variance);
  const x = Math.max(nights.mean - 2.5 * spread, Math.min(nights.mean + 4 * spread, seen));
  nights.days = Math.min(MEMORY_DAYS, nights.days + 1);
  const off = x - nights.mean;
  nights.mean += off / (nights.days + PRIOR_DAYS);
  nights.variance += (off * off - nights.variance) / (nights.days + PRIOR_SPREAD_DAYS);
}

/** Forgets what is not learned yet: after a leak those days say nothing of the house. */
export function wake(nights: Nights): void {
  nights.taken = 0;
}

/** Evidence of the newest days together that the house has become louder; 0 where they are not alike. */
export function louder(nights: Nights): number {
  const { recent, taken, mean, variance, days } = nights;
  const spread = Math.sqrt(variance * (1 + 1 / (days + 1)));
  let evidence = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let best = 0;
  for (let day = 0; day < LOOKED; day++) {
    const back = 1 + day * A_DAY;
    if (back > Math.min(taken, recent.length)) break;
    const x = recent[(taken - back) % recent.length] as number;
    low = Math.min(low, x);
    high = Math.max(high, x);
    if (high - low > Math.LN2) break;
    const z = (x - mean) / spread;
    if (z <= 0) break;
    evidence += Math.LN2 + (N.deg / 2) * Math.log(1 + (z * z) / N.deg);
    best = Math.max(best, evidence - 0 * day);
  }
  return best;
}
