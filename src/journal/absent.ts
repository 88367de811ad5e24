// What the journal knows that it does not hold (any more): rows and increments that were thinned, or lost and told.

import { seal, unseal } from '../codec/journal-record.ts';
import { type Range, union } from './ranges.ts';

export interface Absent {
  readonly rows: readonly Range[];
  /** Sequence numbers by `meter/inst`. */
  readonly increments: Readonly<Record<string, readonly Range[]>>;
}

/** Where the journal keeps it. */
export const ABSENT_KEY = 'a/absent';

export const NOTHING_ABSENT: Absent = { rows: [], increments: {} };

export function alsoAbsent(known: Absent, more: Absent): Absent {
  const increments: Record<string, readonly Range[]> = { ...known.increments };
  for (const [key, ranges] of Object.entries(more.increments)) {
    increments[key] = union(increments[key] ?? [], ranges);
  }
  return { rows: union(known.rows, more.rows), increments };
}

export const encodeAbsent = (absent: Absent): string => seal(ABSENT_KEY, absent);

/** Undefined when the record is damaged. */
export const decodeAbsent = (text: string): Absent | undefined =>
  unseal(ABSENT_KEY, text) as Absent | undefined;
