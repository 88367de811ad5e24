// A bank of clocks, one for each candidate leak: what disproves a leak, and how surprising it is that nothing has.

import { CLOCKS_MAX, gphOf, type Rates } from './rates.ts';
import {
  BINS,
  EVIDENCE,
  EXCESS,
  EXCURSIONS,
  KNOWN,
  LACK,
  OBSERVED,
  PAUSES,
  PEAK,
  PEAK_BEFORE,
  SINCE,
  type Watch,
} from './state.ts';

const BIN_MS = 86_400_000 / BINS;

/** A leak's flow may sink so far below its mean (pressure) without being disproved. */
const SWING = 0.9;
/** Counts by which a leak may seem to lag: one for the dial's step, the rest for late readings. */
const LAG = 1.06;
/** What is left of the evidence of a clock whose pause a time without polls may have hidden. */
const DOUBTED = 0.5;
/** Hours of prior experience in a bin. */
const PRIOR_H = 6;
/** Pauses an hour that are believed at most: beyond it they are no longer independent. */
const PACE_MAX = 4;
/** The past is forgotten by this share a day: about four weeks. */
const MEMORY_DAYS = 28;
const DAILY_DECAY = 1 - 1 / MEMORY_DAYS;
/** Half of the span over which the largest peak is remembered, in days. */
const PEAK_HALF_DAYS = 14;

/** Peaks of evidence above this are excursions. */
const EXCURSION = 2;
/** Prior excursions, and how many of them a year has. */
const PRIOR_EXCURSIONS = 12;
const PRIOR_A_YEAR = 200;
const LIMIT_MAX = 60;
/** No clock is believed much before its meter has been watched for some days. */
const YOUNG_DAYS = 5;
/** Slower leaks are common and harmless: more false alarms are allowed there, and waiting costs days, in gallons an hour. */
const SLOW_GPH = 1.2;
const FAST_GPH = 60;
/** Limits by speed: the least one, the mean excess of a peak before any was seen, false alarms a year and clock. */
const SLOW = { least: 6, mean: 1, alarms: 1 };
const MIDDLE = { least: 9, mean: 1.3, alarms: 0.08 };
const FAST = { least: 11, mean: 1.3, alarms: 0.08 };

/** Hours without a count that disprove a leak of `perHour` counts. */
export function pauseHours(perHour: number): number {
  return LAG / (SWING * perHour);
}

/** Expected pauses an hour in a house of which nothing is known: idle spells of a quarter hour and of hours, mixed. */
function priorPace(perHour: number): number {
  const gap = pauseHours(perHour);
  const of = (u: number) => u / Math.expm1(u * gap);
  return 0.3 * of(0.25) + 0.7 * of(4);
}

const PRIORS = new WeakMap<Rates, Float64Array>();

function priorsOf(rates: Rates): Float64Array {
  const known = PRIORS.get(rates);
  if (known) return known;
  const made = rates.perHour.map((one) => priorPace(one) * PRIOR_H);
  PRIORS.set(rates, made);
  return made;
}

/** One reading on its way through the bank. */
export interface Tick {
  readonly at: number;
  /** Hours since the reading before it, and how many of them count as watched: a missed poll was not watched. */
  readonly hours: number;
  readonly watched: number;
  readonly counts: number;
  /** Clocks from this index on learn: those at or below a standing leak's rate would learn the leak. */
  readonly learnFrom: number;
  /** Polls were missed: clocks from this index on may have been disproved unseen; Infinity where none was. */
  readonly doubtFrom: number;
}

/** Takes one reading in: clocks that it disproves begin anew, the others grow older by the pauses to be expected. */
export function turn(watch: Watch, rates: Rates, tick: Tick): void {
  const { cells, words, now, unbroken } = watch;
  const { at, hours, counts, watched, learnFrom, doubtFrom } = tick;
  const bin = Math.floor(at / BIN_MS) % BINS;
  const prior = priorsOf(rates);
  const { perHour } = rates;
  const seen = (cells[OBSERVED + bin] as number) + PRIOR_H;
  if (learnFrom < perHour.length) cells[OBSERVED + bin] = seen - PRIOR_H + watched;
  for (let k = 0; k < perHour.length; k++) {
    const rate = perHour[k] as number;
    const lack = (cells[LACK + k] as number) + SWING * rate * hours - counts;
    const pauses = PAUSES + k * BINS + bin;
    if (lack > LAG) {
      if (k >= learnFrom) {
        learnPeak(watch, k, cells[EVIDENCE + k] as number);
        addOne(words, pauses);
      }
      begin(watch, k, now, 1);
      continue;
    }
    cells[LACK + k] = Math.max(0, lack);
    if (k >= doubtFrom && SWING * rate * hours > LAG) {
      cells[EVIDENCE + k] = DOUBTED * (cells[EVIDENCE + k] as number);
    }
    // After a break a clock must first have had the time to be disproved.
    if (unbroken * SWING * rate < LAG) continue;
    const d = (words[pauses] as number) / UNITS + (prior[k] as number);
    const pace = (d - 0.5 * Math.sqrt(d)) / seen;
    if (pace <= 0) continue;
    cells[EVIDENCE + k] = (cells[EVIDENCE + k] as number) + Math.min(pace, PACE_MAX) * watched;
  }
}

type Bank = Pick<Watch, 'cells' | 'words'>;

/** Numbers of events that fade are kept in units of a sixty-fourth, and to a thousand. */
const UNITS = 64;

function addOne(words: Uint16Array, at: number): void {
  words[at] = Math.min(65_535, (words[at] as number) + UNITS);
}

function begin({ cells, words }: Bank, k: number, now: number, known: number): void {
  cells[LACK + k] = 0;
  cells[EVIDENCE + k] = 0;
  cells[SINCE + k] = now;
  words[KNOWN + k] = known;
}

/**
 * What passed is not known. A clock up to `kept`, that of a leak which stands, is neither disproved nor confirmed by it; of
 * the others nobody knows whether a pause was hidden there, so they begin anew: a break never raises a leak.
 */
export function breakOff({ cells, now }: Watch, kept: number): void {
  cells.fill(0, LACK, LACK + CLOCKS_MAX);
  cells.fill(0, EVIDENCE + kept + 1, EVIDENCE + CLOCKS_MAX);
  cells.fill(now, SINCE + kept + 1, SINCE + CLOCKS_MAX);
}

/** After a leak has ended all clocks begin anew, or those below it would raise it again at once. */
export function beginAnew(watch: Watch, rates: Rates): void {
  for (let k = 0; k < rates.perHour.length; k++) begin(watch, k, watch.now, 0);
}

/** A peak of evidence that came to nothing: the next one must be higher to mean anything. */
export function learnPeak({ cells, words }: Bank, k: number, peak: number): void {
  if (peak > (cells[PEAK + k] as number)) cells[PEAK + k] = peak;
  if (peak <= EXCURSION) return;
  addOne(words, EXCURSIONS + k);
  cells[EXCESS + k] = (cells[EXCESS + k] as number) + peak - EXCURSION;
}

/** Once a day: the past fades. */
export function fade({ cells, words, days }: Watch): void {
  for (let i = EXCESS; i < OBSERVED + BINS; i++) cells[i] = (cells[i] as number) * DAILY_DECAY;
  for (let i = EXCURSIONS; i < words.length; i++) {
    const before = words[i] as number;
    // The last few units go one by one, or they would stay for ever.
    words[i] = Math.max(0, Math.min(before - 1, Math.round(before * DAILY_DECAY)));
  }
  if (days % PEAK_HALF_DAYS !== 0) return;
  cells.copyWithin(PEAK_BEFORE, PEAK, PEAK + CLOCKS_MAX);
  cells.fill(0, PEAK, PEAK + CLOCKS_MAX);
}

/**
 * Evidence that clock `k` must outlive to mean a leak: what this meter's own peaks, taken as exceedances of a threshold,
 * would reach less often than the allowed false alarms, and more than its largest peak of four weeks.
 */
export function limitOf({ cells, words, days }: Watch, rates: Rates, k: number): number {
  const gph = gphOf(rates, k);
  const { least, mean, alarms } = gph < SLOW_GPH ? SLOW : gph < FAST_GPH ? MIDDLE : FAST;
  const n = (words[EXCURSIONS + k] as number) / UNITS + PRIOR_EXCURSIONS;
  const excess = ((cells[EXCESS + k] as number) + mean * PRIOR_EXCURSIONS) / n;
  const years = Math.min(days, MEMORY_DAYS) / 365 + PRIOR_EXCURSIONS / PRIOR_A_YEAR;
  const tail = EXCURSION + excess * Math.log(n / years / alarms);
  const largest = Math.max(cells[PEAK + k] as number, cells[PEAK_BEFORE + k] as number);
  const own = Math.max(least, tail, 1.2 * largest + 1);
  return Math.min(LIMIT_MAX, own) * (1 + 2 / Math.max(YOUNG_DAYS, days));
}
