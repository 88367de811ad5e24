// Single counts at equal distances: what water in use does not do, and a drip does.

/** A reading may come so early or late against a gap's pressure swing, as a share of the gap. */
const SWING = 0.1;
export const G = { gapW: 1.8, gapM: 1, swing: 0.05, small: 1 };
/** Gaps shorter than this are told apart from bursts of use too badly, in hours and in polls. */
const LEAST_H = 22 / 60;
const LEAST_POLLS = 2.2;
const MOST_H = 6;

/** Readings so close together show one draw, in hours. */
const MERGED_H = 4 / 60;
/** A draw of so many counts may be a drip's or a refill's. */
const SMALL = 2;

export interface Gaps {
  /** Hours since the newest draw began and since its last count; its counts, 0 once it was judged. */
  open: number;
  quiet: number;
  size: number;
  /** The gap before the newest draw, if a small draw began it; 0: none. */
  gap: number;
  /** The usable gap before that; 0: none. */
  before: number;
  /** The draw before the newest one was small. */
  small: boolean;
  /** A run of equal gaps: how many, and between which bounds the leak's gap must lie. */
  run: number;
  low: number;
  high: number;
}

export function newGaps(): Gaps {
  const empty = { open: 0, quiet: 0, size: 0, gap: 0, before: 0 };
  return { ...empty, small: false, run: 0, low: 0, high: 0 };
}

/** What two neighbouring gaps say: `hours` apart, and how much evidence. */
export interface Regularity {
  readonly hours: number;
  readonly evidence: number;
  /** Evidence of the whole run of equal gaps. */
  readonly run: number;
}

/** Takes one reading in. Null: nothing regular was seen. */
export function space(
  gaps: Gaps,
  hours: number,
  counts: number,
  pollH: number,
): Regularity | null {
  gaps.open += hours;
  gaps.quiet += hours;
  if (counts > 0) {
    if (gaps.size > 0 && gaps.quiet <= MERGED_H) gaps.size += counts;
    else {
      gaps.gap = gaps.small ? gaps.open : 0;
      gaps.open = 0;
      gaps.size = counts;
    }
    gaps.quiet = 0;
  }
  if (gaps.size === 0 || (pollH <= MERGED_H && gaps.quiet <= MERGED_H)) return null;
  gaps.small = gaps.size <= G.small;
  gaps.size = 0;
  return judge(gaps, pollH);
}

function judge(gaps: Gaps, pollH: number): Regularity | null {
  const { gap, before } = gaps;
  const long = gap >= Math.max(LEAST_POLLS * pollH, LEAST_H) && gap < MOST_H;
  const usable = gaps.small && long;
  gaps.before = usable ? gap : 0;
  if (!usable) {
    gaps.run = 0;
    return null;
  }
  const run = lengthen(gaps, gap, pollH);
  if (before === 0) return null;
  const tolerance = pollH + G.swing * gap;
  if (Math.abs(gap - before) > 1.05 * tolerance) return null;
  const evidence = Math.min(3.2, G.gapW * Math.log((G.gapM * gap) / tolerance));
  return { hours: gap, evidence: Math.max(0, evidence), run };
}

/** A run goes on while one gap length explains all: the bounds narrow with its length. */
function lengthen(gaps: Gaps, gap: number, pollH: number): number {
  const slack = pollH + 0.5 * SWING * gap;
  const low = Math.max(gaps.low, gap - slack);
  const high = Math.min(gaps.high, gap + slack);
  if (gaps.run === 0 || low > high) {
    gaps.run = 1;
    gaps.low = gap - slack;
    gaps.high = gap + slack;
    return 0;
  }
  gaps.run += 1;
  gaps.low = low;
  gaps.high = high;
  return (gaps.run - 1) * Math.log((Math.E * gap) / (2 * pollH + SWING * gap));
}
