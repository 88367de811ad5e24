// The proof that no water was lost or invented (I5): anyone who holds the published entries can run it.

import type { Entry, GapEntry, HourEntry } from './entry.ts';
import { type Counts, capacity, type Dial, hourOf, modulo } from './units.ts';

export type Violation =
  | 'not an integer'
  | 'told twice'
  | 'sum differs from total'
  | 'total differs from dial';

/** The verdict on one installation: `sum` of all uses, the last stated `total`, and the first place where they part. */
export interface Proof {
  readonly inst: number;
  readonly hours: number;
  readonly gaps: number;
  readonly sum: Counts;
  readonly total: Counts;
  readonly problem: { readonly violation: Violation; readonly at: number } | null;
}

/**
 * Proves I5 for one installation. `entries`: its hours and gaps, any order, any revisions. `initialRead`: the dial at
 * total 0; `thinned`: what hours and gaps before these, which are not held any more, summed to. Every hour that states a total must equal the sum of all uses up to it, and its dial must be congruent.
 */
export function conserve(
  inst: number,
  entries: readonly Entry[],
  initialRead: Counts,
  dial: Pick<Dial, 'digits'>,
  thinned: Counts = 0,
): Proof {
  const kept = newest(entries);
  const hours = kept.filter((e): e is HourEntry => e.kind === 'hour');
  const gaps = kept.filter((e): e is GapEntry => e.kind === 'gap' && e.use !== null);
  hours.sort((a, b) => a.start - b.start);
  gaps.sort((a, b) => a.to - b.to);
  const verdict = { inst, hours: hours.length, gaps: gaps.length };
  let sum = thinned;
  let total = thinned;
  let next = 0;
  let problem: Proof['problem'] = repeated(entries);
  const note = (violation: Violation, at: number) => {
    problem ??= { violation, at };
  };
  const addGaps = (until: number) => {
    for (let gap = gaps[next]; gap && hourOf(gap.to) <= until; gap = gaps[next]) {
      if (!Number.isSafeInteger(gap.use)) note('not an integer', gap.from);
      sum += gap.use ?? 0;
      next += 1;
    }
  };
  for (const hour of hours) {
    addGaps(hour.start);
    sum += hour.use ?? 0;
    if (hour.total === null || hour.read === null) continue;
    if (hour.use !== null && !Number.isSafeInteger(hour.use)) note('not an integer', hour.start);
    if (hour.total !== sum) note('sum differs from total', hour.start);
    if (modulo(hour.read - initialRead - hour.total, capacity(dial)) !== 0) {
      note('total differs from dial', hour.start);
    }
    total = hour.total;
  }
  const beforeTail = next;
  addGaps(Number.POSITIVE_INFINITY);
  if (next > beforeTail) total = sum; // A gap after the last hour states its volume alone.
  return { ...verdict, sum, total, problem };
}

/** Hours even, gaps odd: a number is found faster than a text. */
function keyOf(entry: Entry): number {
  return entry.kind === 'hour' ? 2 * entry.start : 2 * entry.from + 1;
}

/** The highest revision of every hour and gap. */
export function newest<E extends Entry>(entries: readonly E[]): E[] {
  const kept = new Map<number, E>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const before = kept.get(key);
    if (!before || entry.rev > before.rev) kept.set(key, entry);
  }
  return [...kept.values()];
}

/** The first key and revision that is told by two entries. */
function repeated(entries: readonly Entry[]): Proof['problem'] {
  // Nearly all have no revision.
  const seen = new Set<number | string>();
  for (const entry of entries) {
    const key = entry.rev === 0 ? keyOf(entry) : `${keyOf(entry)}/${entry.rev}`;
    const at = entry.kind === 'hour' ? entry.start : entry.from;
    if (seen.has(key)) return { violation: 'told twice', at };
    seen.add(key);
  }
  return null;
}
