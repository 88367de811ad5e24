// Single counts at equal distances: what water in use does not do, and a drip does.

/** A reading may come so early or late against a gap's pressure swing, as a share of the gap. */
const SWING = 0.1;
export const G = { gapW: 1.5, gapM: 1, swing: 0.05 };
/** Gaps shorter than this are told apart from bursts of use too badly, in hours and in polls. */
const LEAST_H = 22 / 60;
const LEAST_POLLS = 2.2;
const MOST_H = 6;

export interface Gaps {
  /** Hours since the last reading with a count, and whether that was a single one. */
  open: number;
  single: boolean;
  /** The gap before, closed by single counts at both ends; 0: none. */
  before: number;
  /** A run of equal gaps: how many, and between which bounds the leak's gap must lie. */
  run: number;
  low: number;
  high: number;
}

export function newGaps(): Gaps {
  return { open: 0, single: false, before: 0, run: 0, low: 0, high: 0 };
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
  if (counts === 0) return null;
  const gap = gaps.open;
  gaps.open = 0;
  const whole = gaps.single && counts === 1;
  gaps.single = counts === 1;
  const usable = whole && gap >= Math.max(LEAST_POLLS * pollH, LEAST_H) && gap < MOST_H;
  const before = gaps.before;
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
