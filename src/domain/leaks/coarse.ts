// Leaks on a dial whose counts are hours apart: told by counts that come faster and more evenly than this meter's own.

import { COARSE_AT, COUNTS_KEPT, type Watch } from './state.ts';

/** Leaks of so many counts an hour and more show on a coarse dial, too, by a pause that does not come. */
export const PAUSES_FROM = 1 / 3;

/** Gaps looked at, at least and at most. */
const GAPS_LEAST = 4;
const GAPS_MOST = COUNTS_KEPT - 1;
/** Gaps of one leak differ from their mean by no more than this: use shortens them by day. */
const EVEN_LOW = 0.55;
const EVEN_HIGH = 1.6;
/** Evidence of one even gap: random gaps lie so near their mean about once in four times. */
const EVEN_EVIDENCE = 1.4;
/** A leak's counts come day and night: their mean gap is below this, in hours; slower ones show as unusual use. */
const GAP_MOST_H = 13.5;
/** Irrigation fills a few counts in a night; a leak lasts longer, in hours. */
const LASTS_H = 8;
/** Evidence that the counts came faster than usual, at least, and together with their evenness. */
const FASTER_LEAST = 4;
export const COARSE_LIMIT = 12;
/** A meter whose usual pace is not known yet is not judged, in hours. */
const PACE_KNOWN_H = 7 * 24;
/** What a house uses before anything is known: a count in three days. */
const PRIOR_H = 72;
const DAILY_DECAY = 1 - 1 / 40;

/** What the newest counts show. */
export interface Spacing {
  readonly since: number;
  readonly perHour: number;
  readonly evidence: number;
}

/** Takes counts of one reading in. Null: they show no leak. Learns nothing while `alarmed`. */
export function spaceCoarse(watch: Watch, counts: number, alarmed: boolean): Spacing | null {
  for (let i = 0; i < Math.min(counts, COUNTS_KEPT); i++) note(watch, alarmed);
  const { pace } = watch;
  if (alarmed || counts === 0 || pace.hours < PACE_KNOWN_H) return null;
  const usual = (pace.hours + PRIOR_H) / (pace.counts + 1);
  let best: Spacing | null = null;
  for (let gaps = GAPS_LEAST; gaps <= Math.min(GAPS_MOST, pace.taken - 1); gaps++) {
    const spacing = spacingOf(watch, gaps, usual);
    if (spacing && spacing.evidence > (best?.evidence ?? COARSE_LIMIT)) best = spacing;
  }
  return best;
}

/** The newest count goes into the ring; the one it pushes out belongs to the usual pace. */
function note({ cells, pace, now }: Watch, alarmed: boolean): void {
  const at = COARSE_AT + (pace.taken % COUNTS_KEPT);
  if (pace.taken >= COUNTS_KEPT) {
    const oldest = cells[at] as number;
    if (!alarmed) {
      pace.hours += oldest - pace.from;
      pace.counts += 1;
    }
    pace.from = oldest;
  }
  cells[at] = now;
  pace.taken += 1;
}

/** Nobody knows how far the next count is from those before: gaps are looked at anew from there. */
export function breakPace({ pace, now }: Watch): void {
  pace.taken = 0;
  pace.from = now;
}

/** Once a day: the usual pace of long ago fades; time without a count counts as well. */
export function fadePace({ pace, now, cells }: Watch, alarmed: boolean): void {
  const oldest =
    pace.taken >= COUNTS_KEPT ? (cells[COARSE_AT + (pace.taken % COUNTS_KEPT)] as number) : now;
  const passed = Math.max(0, Math.min(oldest, now - COUNTS_KEPT * GAP_MOST_H) - pace.from);
  if (!alarmed) pace.hours += passed;
  pace.from += passed;
  pace.hours *= DAILY_DECAY;
  pace.counts *= DAILY_DECAY;
}

function timeOf({ cells, pace }: Watch, back: number): number {
  return cells[COARSE_AT + ((pace.taken - back) % COUNTS_KEPT)] as number;
}

function spacingOf(watch: Watch, gaps: number, usual: number): Spacing | null {
  const since = timeOf(watch, gaps + 1);
  const lasts = timeOf(watch, 1) - since;
  const mean = lasts / gaps;
  if (mean > GAP_MOST_H || lasts < LASTS_H) return null;
  for (let back = 1; back <= gaps; back++) {
    const gap = timeOf(watch, back) - timeOf(watch, back + 1);
    if (gap < EVEN_LOW * mean || gap > EVEN_HIGH * mean) return null;
  }
  const faster = surprise(gaps, lasts / usual);
  if (faster < FASTER_LEAST) return null;
  return { since, perHour: 1 / mean, evidence: faster + EVEN_EVIDENCE * gaps };
}

/** -ln of the chance that `n` gaps of random use are over in `x` times their usual length (Erlang's, its first term). */
function surprise(n: number, x: number): number {
  if (x >= n) return 0;
  let lnFactorial = 0;
  for (let i = 2; i <= n; i++) lnFactorial += Math.log(i);
  return Math.max(0, x + lnFactorial - n * Math.log(x) + Math.log(1 - x / (n + 1)));
}
