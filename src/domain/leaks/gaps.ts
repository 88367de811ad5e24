// Small draws at equal distances: what water in use does not do, and a drip does.

import { type GapState, NO_GAPS, type Watch } from './state.ts';

/** The gap of a drip may change so much from one to the next, as a share of it. */
const DRIFT = 0.05;
/** And so much over a whole run of them (pressure). */
const SWING = 0.1;
/** Gaps shorter than this are told from the pauses of an appliance too badly, in hours and in polls. */
const LEAST_H = 22 / 60;
const LEAST_POLLS = 2.2;
const MOST_H = 6;
/** Readings so close together show one draw, in hours. */
const MERGED_H = 4 / 60;
/** A draw of so many counts may be a drip's. */
const SMALL = 1;
/** Evidence of two equal gaps: by how much chance would rather have made them unequal, weighted; at most. */
const WEIGHT = 1.8;
const EVIDENCE_MAX = 3.2;

/** What equal gaps say: `hours` apart, how much evidence the newest pair adds and the whole run has. */
export interface Regularity {
  readonly hours: number;
  readonly evidence: number;
  readonly run: number;
}

/** Takes one reading in. Null: nothing regular was seen. `missed`: polls before it did, so nobody knows when its counts came. */
export function space(
  { gap: state }: Watch,
  hours: number,
  counts: number,
  pollH: number,
  missed: boolean,
): Regularity | null {
  state.open += hours;
  state.quiet += hours;
  if (missed && counts > 0) {
    Object.assign(state, NO_GAPS);
    return null;
  }
  if (counts > 0) draw(state, counts);
  if (state.size === 0 || (pollH <= MERGED_H && state.quiet <= MERGED_H)) return null;
  state.small = state.size <= SMALL;
  state.size = 0;
  return judge(state, pollH);
}

function draw(state: GapState, counts: number): void {
  if (state.size > 0 && state.quiet <= MERGED_H) state.size += counts;
  else {
    state.gap = state.small ? state.open : 0;
    state.open = 0;
    state.size = counts;
  }
  state.quiet = 0;
}

function judge(state: GapState, pollH: number): Regularity | null {
  const { gap, before, small } = state;
  const usable = small && gap >= Math.max(LEAST_POLLS * pollH, LEAST_H) && gap < MOST_H;
  state.before = usable ? gap : 0;
  if (!usable) {
    state.run = 0;
    return null;
  }
  const run = lengthen(state, gap, pollH);
  const tolerance = pollH + DRIFT * gap;
  if (before === 0 || Math.abs(gap - before) > 1.05 * tolerance) return null;
  const evidence = Math.max(0, Math.min(EVIDENCE_MAX, WEIGHT * Math.log(gap / tolerance)));
  return { hours: gap, evidence, run };
}

/** A run goes on while one gap length explains all: the bounds narrow with its length. */
function lengthen(state: GapState, gap: number, pollH: number): number {
  const slack = pollH + 0.5 * SWING * gap;
  const low = Math.max(state.low, gap - slack);
  const high = Math.min(state.high, gap + slack);
  if (state.run === 0 || low > high) {
    state.run = 1;
    state.low = gap - slack;
    state.high = gap + slack;
    return 0;
  }
  state.run += 1;
  state.low = low;
  state.high = high;
  return (state.run - 1) * Math.log((Math.E * gap) / (2 * pollH + SWING * gap));
}
