// How the reads of one bus are laid around an hour's edge: one after another, each as near to it as the wire allows.

/** One meter's read, in milliseconds. */
export interface EdgeRead {
  /** How long it holds the wire. */
  readonly readMs: number;
  /** How far from the edge it still counts for it. */
  readonly toleranceMs: number;
}

export interface EdgePlan {
  /** When each read begins, from the edge; negative before it. In the order of the reads given. */
  readonly beginMs: readonly number[];
  /** When each answer is there. Its distance from the edge decides whether the edge counts as read. */
  readonly stampMs: readonly number[];
  /** When the first read begins; never after the edge. */
  readonly fromMs: number;
  /** How long the wire is held by all. */
  readonly roundMs: number;
}

/**
 * A round that needs no more than this part of the tolerance begins at the edge: nothing is gained by beginning before
 * it, and a reading after the edge ends its hour at once.
 */
const SHORT = 1 / 4;

/**
 * Lays `reads` around the edge. A longer round straddles it: the tightest tolerance is served nearest, then the order
 * given. Nothing is begun so early that it would not count; what cannot count goes to the end.
 */
export function planEdge(reads: readonly EdgeRead[]): EdgePlan {
  const roundMs = reads.reduce((sum, { readMs }) => sum + readMs, 0);
  const tightest = reads.reduce((least, one) => Math.min(least, one.toleranceMs), Infinity);
  const straddles = roundMs > tightest * SHORT;
  const beginMs = reads.map(() => 0);
  const stampMs = reads.map(() => 0);
  let before = 0;
  let after = 0;
  for (const i of byTolerance(reads)) {
    const { readMs, toleranceMs } = reads[i] as EdgeRead;
    if (straddles && before <= after + readMs && before <= toleranceMs) {
      stampMs[i] = 0 - before;
      before += readMs;
      beginMs[i] = 0 - before;
    } else {
      beginMs[i] = after;
      after += readMs;
      stampMs[i] = after;
    }
  }
  return { beginMs, stampMs, fromMs: 0 - before, roundMs };
}

/** How many reads of a plan come too early or too late to count. */
export function missedBy(plan: EdgePlan, reads: readonly EdgeRead[]): number {
  return reads.filter(({ toleranceMs }, i) => Math.abs(plan.stampMs[i] ?? 0) > toleranceMs).length;
}

/** The tolerance with which every read of a bus would count, in milliseconds. */
export function toleranceNeeded(reads: readonly EdgeRead[]): number {
  const total = reads.reduce((sum, { readMs }) => sum + readMs, 0);
  const plan = planEdge(reads.map(({ readMs }) => ({ readMs, toleranceMs: total })));
  return plan.stampMs.reduce((most, ms) => Math.max(most, Math.abs(ms)), 0);
}

function byTolerance(reads: readonly EdgeRead[]): number[] {
  return reads
    .map((_, i) => i)
    .sort((a, b) => (reads[a]?.toleranceMs ?? 0) - (reads[b]?.toleranceMs ?? 0) || a - b);
}
