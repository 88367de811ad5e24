// A tap is opened: whose counts rose, by how much water would, and on which other meter they rose instead.

import { GALLONS, gallonsPerCount } from './leaks/rates.ts';
import {
  type Counts,
  capacity,
  type Dial,
  type EpochMs,
  HOUR_MS,
  modulo,
  type VolumeUnit,
} from './units.ts';

/** A meter before the tap was opened and after it was closed. */
export interface TapReading {
  readonly meter: string;
  readonly digits: number;
  readonly before: { readonly read: Counts; readonly at: EpochMs };
  readonly after: { readonly read: Counts; readonly at: EpochMs };
  /** Counts an hour that it seldom exceeds otherwise. */
  readonly usualPerH: number;
}

/**
 * `rose`: the counts rose here, and nowhere else by more than they do otherwise. `none`: nowhere. `wrong_meter`: elsewhere, on one
 * meter. `several`: on more than one. `below_resolution`: one count is more water than a tap gives in that time.
 */
export type TapVerdict = 'rose' | 'none' | 'wrong_meter' | 'several' | 'below_resolution';

export interface TapOutcome {
  readonly verdict: TapVerdict;
  readonly counts: Counts;
  readonly elapsedMs: number;
  /** Counts of the other meters that moved, and those whose moving is not as usual. */
  readonly others: readonly { readonly meter: string; readonly counts: Counts }[];
  readonly suspects: readonly string[];
  /** Counts that the water drawn should make, where somebody measured it; `agrees`: they did, near enough. */
  readonly drawn: {
    readonly least: Counts;
    readonly most: Counts;
    readonly agrees: boolean;
  } | null;
}

/** An open tap gives so much at the most, in gallons a minute. */
const MOST_GPM = 10;
/** Nobody opens and closes a tap sooner: a shorter test says nothing of what a count is. */
const LEAST_MS = 60_000;
/** A bucket is read to a third, and a dial to a count. */
const BUCKET = 0.3;
/** Another meter that rises by less than this share of ours is no rival. */
const RIVAL = 0.5;
/** What rises here by less than this share of another's unusual rise is the house's own use, not the tap. */
const ASIDE = 0.1;
/** Chance alone moves a dial by a count in any time. */
const SPARE: Counts = 1;

/** Judges a tap test on the meter `own` of dial `dial`. `drawn`: the volume that ran, where it was measured. */
export function judgeTap(
  own: TapReading,
  others: readonly TapReading[],
  dial: Dial,
  drawn: { readonly amount: number; readonly unit: VolumeUnit } | null = null,
): TapOutcome {
  const counts = risenBy(own);
  const elapsedMs = own.after.at - own.before.at;
  const perCount = gallonsPerCount(dial);
  const most = drawn
    ? drawn.amount * GALLONS[drawn.unit]
    : (MOST_GPM * Math.max(elapsedMs, LEAST_MS)) / 60_000;
  const unusual = others.filter((one) => risenBy(one) > usualOf(one) + SPARE);
  const hasRisen = counts >= 1 && counts > ASIDE * Math.max(0, ...unusual.map(risenBy));
  const moved = others.flatMap((one) => {
    const by = risenBy(one);
    return by === 0 ? [] : [{ meter: one.meter, counts: by }];
  });
  const suspects = unusual
    .filter((one) => !hasRisen || risenBy(one) >= RIVAL * counts)
    .map(({ meter }) => meter);
  const common = { counts, elapsedMs, others: moved, suspects };
  const bucket = drawn ? drawnOf(counts, most / perCount) : null;
  return {
    verdict: verdictOf(hasRisen, suspects.length, perCount > most),
    ...common,
    drawn: bucket,
  };
}

function verdictOf(hasRisen: boolean, suspects: number, isCoarse: boolean): TapVerdict {
  if (hasRisen) return suspects === 0 ? 'rose' : 'several';
  if (suspects === 1) return 'wrong_meter';
  if (suspects > 1) return 'several';
  return isCoarse ? 'below_resolution' : 'none';
}

function drawnOf(counts: Counts, expected: number) {
  const least = Math.floor(expected * (1 - BUCKET)) - 1;
  const most = Math.ceil(expected * (1 + BUCKET)) + 1;
  return { least: Math.max(0, least), most, agrees: counts >= least && counts <= most };
}

const usualOf = ({ usualPerH, before, after }: TapReading): Counts =>
  Math.ceil((usualPerH * Math.max(0, after.at - before.at)) / HOUR_MS);

/** Signed, on the shorter way round the dial. */
function risenBy({ digits, before, after }: TapReading): Counts {
  const turn = capacity({ digits });
  const forward = modulo(after.read - before.read, turn);
  return forward > turn / 2 ? forward - turn : forward;
}

/** A movement that was seen: counts over a time. What lies between movements stood still. */
export interface SeenMovement {
  readonly fromAt: EpochMs;
  readonly toAt: EpochMs;
  readonly counts: Counts;
}

/** Of the time looked at, a meter flows faster than its usual rate in so small a share. */
const SELDOM = 0.05;

/** Counts an hour that the meter exceeded in a twentieth of the time from `since` to `until`; 0 for one that mostly stood still. */
export function usualRate(seen: readonly SeenMovement[], since: EpochMs, until: EpochMs): number {
  const rates = seen
    .filter(({ fromAt, toAt }) => toAt > fromAt && toAt > since && fromAt < until)
    .map(({ fromAt, toAt, counts }) => ({
      perH: (counts * HOUR_MS) / (toAt - fromAt),
      ms: Math.min(toAt, until) - Math.max(fromAt, since),
    }))
    .sort((a, b) => b.perH - a.perH);
  let left = SELDOM * Math.max(0, until - since);
  for (const { perH, ms } of rates) {
    left -= ms;
    if (left < 0) return Math.max(0, perH);
  }
  return 0;
}
