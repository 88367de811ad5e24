// A bank of clocks, one for each candidate leak: what disproves a leak, and how surprising it is that nothing has.

import type { Rates } from './rates.ts';

/** Bins of the UTC day in which the pace of disproofs is learned; a fixed zone only shifts them. */
export const BINS = 8;
const BIN_H = 24 / BINS;

/** A leak's flow may sink so far below its mean (pressure) without being disproved. */
const SWING = 0.9;
/** Counts by which a leak may seem to lag: one for the dial's step, the rest for late clocks. */
const LAG = 1.06;
/** Hours of prior experience in a bin. */
const PRIOR_H = 6;
/** Disproofs an hour that are believed at most: beyond it they are no longer independent. */
const PACE_MAX = 4;
/** The past is forgotten with this share a day. */
export const DAILY_DECAY = 1 - 1 / 28;
/** Half of the span over which the largest peak is remembered, in days. */
const PEAK_HALF_DAYS = 14;

/** Peaks of evidence above this are excursions. */
const EXCURSION = 2;
/** Prior excursions and how many a year they are. */
const PRIOR_EXCURSIONS = 12;
const PRIOR_A_YEAR = 200;
const LIMIT_MAX = 60;

/** Everything learned about the clocks of one installation; times are hours of true time since it began. */
export interface Bank {
  /** Counts a leak of this rate would have made by now that did not come; above `LAG` it is disproved. */
  readonly lack: Float32Array;
  /** Disproofs that were to be expected since the last one. */
  readonly evidence: Float32Array;
  /** When the clock was disproved last, and whether it ever was. */
  readonly since: Float64Array;
  readonly known: Uint8Array;
  /** Largest peaks of evidence in this and the last half-memory. */
  readonly peak: Float32Array;
  readonly peakBefore: Float32Array;
  /** Excursions and what they exceeded by, decayed. */
  readonly excursions: Float32Array;
  readonly excess: Float32Array;
  /** Disproofs by clock and bin, observed hours by bin; decayed. */
  readonly disproofs: Float32Array;
  readonly observed: Float32Array;
}

export function newBank(clocks: number): Bank {
  return {
    lack: new Float32Array(clocks),
    evidence: new Float32Array(clocks),
    since: new Float64Array(clocks),
    known: new Uint8Array(clocks),
    peak: new Float32Array(clocks),
    peakBefore: new Float32Array(clocks),
    excursions: new Float32Array(clocks),
    excess: new Float32Array(clocks),
    disproofs: new Float32Array(clocks * BINS),
    observed: new Float32Array(BINS),
  };
}

/** Hours without a count that disprove a leak of `perHour` counts. */
export function disproofHours(perHour: number): number {
  return LAG / (SWING * perHour);
}

/** Expected disproofs an hour in a house of which nothing is known: idle spells of a quarter hour and of hours. */
function priorPace(perHour: number): number {
  const gap = disproofHours(perHour);
  const of = (u: number) => u / Math.expm1(u * gap);
  return 0.3 * of(0.25) + 0.7 * of(4);
}

const PRIORS = new WeakMap<Rates, Float64Array>();

function priorsOf(rates: Rates): Float64Array {
  const known = PRIORS.get(rates);
  if (known) return known;
  const made = rates.perHour.map(priorPace);
  PRIORS.set(rates, made);
  return made;
}

export const binOf = (at: number): number => Math.floor((at / 3_600_000 / BIN_H) % BINS);

/** One reading on its way through the bank. */
export interface Tick {
  /** Hours of true time since the installation began, at the reading. */
  readonly now: number;
  /** Hours since the reading before it, and how many of them count as watched. */
  readonly hours: number;
  readonly watched: number;
  readonly counts: number;
  readonly bin: number;
  /** Clocks from this index on learn. */
  readonly learnFrom: number;
  /** Hours since what passed was last unknown: slower clocks have not had their chance. */
  readonly unbroken: number;
}

/** Takes one reading in. Returns the highest clock that it disproves, -1 for none. */
export function turn(bank: Bank, rates: Rates, tick: Tick): number {
  const { lack, evidence, disproofs, observed } = bank;
  const { hours, counts, watched, bin, learnFrom, unbroken } = tick;
  const { perHour } = rates;
  const prior = priorsOf(rates);
  const clocks = perHour.length;
  const seen = (observed[bin] as number) + PRIOR_H;
  let highest = -1;
  if (learnFrom < clocks) observed[bin] = (observed[bin] as number) + watched;
  for (let k = 0; k < clocks; k++) {
    const rate = perHour[k] as number;
    const b = (lack[k] as number) + SWING * rate * hours - counts;
    if (b > LAG) {
      highest = k;
      disprove(bank, k, tick);
      if (k >= learnFrom) disproofs[k * BINS + bin] = (disproofs[k * BINS + bin] as number) + 1;
      continue;
    }
    lack[k] = b > 0 ? b : 0;
    if (unbroken < LAG / (SWING * rate)) continue;
    const d = (disproofs[k * BINS + bin] as number) + (prior[k] as number) * PRIOR_H;
    const pace = (d - B.sub * Math.sqrt(d)) / seen;
    if (pace > 0) {
      evidence[k] = (evidence[k] as number) + (pace < PACE_MAX ? pace : PACE_MAX) * watched;
    }
  }
  return highest;
}

function disprove(bank: Bank, k: number, tick: Tick): void {
  const peak = bank.evidence[k] as number;
  if (k >= tick.learnFrom) learnPeak(bank, k, peak);
  bank.lack[k] = 0;
  bank.evidence[k] = 0;
  bank.since[k] = tick.now;
  bank.known[k] = 1;
}

/** A peak of evidence that came to nothing: the next one must be higher to mean anything. */
export function learnPeak(bank: Bank, k: number, peak: number): void {
  if (peak > (bank.peak[k] as number)) bank.peak[k] = peak;
  if (peak <= EXCURSION) return;
  bank.excursions[k] = (bank.excursions[k] as number) + 1;
  bank.excess[k] = (bank.excess[k] as number) + peak - EXCURSION;
}

/** Once a day: the past fades. `day` is the number of days since the installation began. */
export function fade(bank: Bank, day: number): void {
  for (const array of [bank.excursions, bank.excess, bank.disproofs, bank.observed]) {
    for (let i = 0; i < array.length; i++) array[i] = (array[i] as number) * DAILY_DECAY;
  }
  if (day % PEAK_HALF_DAYS !== 0) return;
  bank.peakBefore.set(bank.peak);
  bank.peak.fill(0);
}

/** False alarms a year a clock may cost, and the least limits, by the leak's rate in gallons an hour. */
function character(gph: number): { least: number; mean: number; alarms: number } {
  if (gph < B.slow) return { least: B.leastSlow, mean: B.meanSlow, alarms: B.alarmsSlow };
  return { least: gph < 60 ? B.least : B.least + 2, mean: 1.3, alarms: B.alarms };
}

export const B = { leastSlow: 6, meanSlow: 1, alarmsSlow: 1, least: 9, alarms: 0.08, own: 1.2, ownPlus: 1, prior: 12, age: 2, priorH: 6, slow: 1.2, sub: 0.5 };
/** Evidence that a clock must outlive to mean a leak: from this meter's own peaks. */
export function limitOf(bank: Bank, rates: Rates, k: number, ageDays: number): number {
  const { least, mean, alarms } = character(rates.gph[k] as number);
  const n = (bank.excursions[k] as number) + B.prior;
  const excess = ((bank.excess[k] as number) + mean * B.prior) / n;
  const memory = Math.min(ageDays, 1 / (1 - DAILY_DECAY));
  const years = (memory + (365 * B.prior) / PRIOR_A_YEAR) / 365;
  const tail = EXCURSION + excess * Math.log(n / years / alarms);
  const largest = Math.max(bank.peak[k] as number, bank.peakBefore[k] as number);
  const own = Math.max(least, tail, B.own * largest + B.ownPlus);
  return Math.min(LIMIT_MAX, own) * (1 + B.age / Math.max(5, ageDays));
}
