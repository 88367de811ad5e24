// How detectors do on homes whose leaks are known: every alarm is matched to a leak, a harmless trickle, or nothing.

import { HOUR_MS, type Label, type LabelledHome } from '../../simulator/leaks/labelled.ts';
import { median } from './figure.ts';

/** What a detector said, in gallons an hour where it states a rate. */
export interface Said {
  readonly id: string;
  readonly phase: 'raise' | 'update' | 'clear';
  readonly at: number;
  readonly gph: number | null;
}

/** One leak and what became of it; hours. `delay` is Infinity for one never found. */
export interface Outcome {
  readonly kind: string;
  readonly gph: number;
  readonly delay: number;
  readonly length: number;
  /** Last stated rate against the true one, as a share. */
  readonly rateError: number | null;
  /** From the repair to the clear of an alarm that still stood. */
  readonly clearH: number | null;
  /** Cleared while it still ran. */
  readonly premature: boolean;
}

export interface Score {
  readonly outcomes: Outcome[];
  falseAlarms: number;
  nuisances: number;
  meterYears: number;
}

/** An alarm this soon after a leak's end is still about it. */
const AFTER_MS = 2 * HOUR_MS;
/** A clear in the last minute of a leak is no mistake: the reading came then. */
const BEFORE_MS = 60_000;

export function newScore(): Score {
  return { outcomes: [], falseAlarms: 0, nuisances: 0, meterYears: 0 };
}

/** Adds one home. */
export function scoreHome(score: Score, home: LabelledHome, said: readonly Said[]): void {
  score.meterYears += home.days / 365;
  const found = new Map<Label<string>, Said[]>();
  for (const raise of said) {
    if (raise.phase !== 'raise') continue;
    const leak = home.leaks.find((one) => isIn(one, raise.at));
    if (leak) found.set(leak, [...(found.get(leak) ?? []), raise]);
    else if (home.trickles.some((one) => isIn(one, raise.at))) score.nuisances += 1;
    else score.falseAlarms += 1;
  }
  for (const leak of home.leaks) score.outcomes.push(outcomeOf(leak, found.get(leak) ?? [], said));
}

function isIn(label: Label<string>, at: number): boolean {
  return at >= label.start && at <= label.end + AFTER_MS;
}

function outcomeOf(leak: Label<string>, all: readonly Said[], said: readonly Said[]): Outcome {
  const raises = all.filter(({ at }) => at <= leak.end);
  const ids = new Set(raises.map(({ id }) => id));
  const own = said.filter(({ id }) => ids.has(id));
  const stated = own.findLast(({ at, phase, gph }) => phase !== 'clear' && at <= leak.end && gph);
  const last = raises.at(-1);
  const clear = own.find(({ id, phase }) => phase === 'clear' && id === last?.id);
  const first = raises[0];
  return {
    kind: leak.kind,
    gph: leak.gph,
    delay: first ? (first.at - leak.start) / HOUR_MS : Number.POSITIVE_INFINITY,
    length: (leak.end - leak.start) / HOUR_MS,
    rateError: stated?.gph ? Math.abs(stated.gph / leak.gph - 1) : null,
    clearH: clear && clear.at >= leak.end ? (clear.at - leak.end) / HOUR_MS : null,
    premature: own.some(({ phase, at }) => phase === 'clear' && at < leak.end - BEFORE_MS),
  };
}

const share = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole);
const known = (numbers: readonly (number | null)[]): number[] =>
  numbers.filter((one): one is number => one !== null);

/** The figures of some leaks. */
export function figuresOf(outcomes: readonly Outcome[], gallonsPerCount: number) {
  const found = outcomes.filter(({ delay }) => Number.isFinite(delay));
  const lost = outcomes.map(({ gph, delay, length }) => gph * Math.min(delay, length));
  return {
    leaks: outcomes.length,
    recall: share(found.length, outcomes.length),
    in24: share(outcomes.filter(({ delay }) => delay <= 24).length, outcomes.length),
    in72: share(outcomes.filter(({ delay }) => delay <= 72).length, outcomes.length),
    delay: median(outcomes.map(({ delay }) => delay)),
    rateError: median(known(found.map(({ rateError }) => rateError))),
    clearH: median(known(found.map(({ clearH }) => clearH))),
    /** The same in times of one count of the leak. */
    clearCounts: median(
      known(found.map(({ clearH, gph }) => clearH && (clearH * gph) / gallonsPerCount)),
    ),
    premature: share(found.filter(({ premature }) => premature).length, found.length),
    lost: share(
      lost.reduce((sum, one) => sum + one, 0),
      lost.length,
    ),
    gph: median(outcomes.map(({ gph }) => gph)),
  };
}

export type LeakFigures = ReturnType<typeof figuresOf>;

export const perYear = (count: number, { meterYears }: Score): number => count / meterYears;
