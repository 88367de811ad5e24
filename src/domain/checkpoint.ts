// What is left of increments, hours and gaps that were thinned: so much that what is kept still proves that no water was lost.

import type { Counts, EpochMs } from './units.ts';

/** Of one installation. Plain JSON. */
export interface Checkpoint {
  readonly meter: string;
  readonly inst: number;
  /** Increments before `seq` are gone. They summed to `total`; the last of them ended at the dial `read`, at the instant `at`. */
  readonly seq: number;
  readonly total: Counts;
  readonly read: Counts | null;
  readonly at: EpochMs | null;
  /** Hours that begin before `start`, and gaps that end in one of them, are gone: so many, whose uses summed to `use`. */
  readonly start: EpochMs;
  readonly hours: number;
  readonly gaps: number;
  readonly use: Counts;
}

export function nothingThinned(meter: string, inst: number): Checkpoint {
  const counted = { seq: 0, total: 0, read: null, at: null };
  return { meter, inst, ...counted, start: 0, hours: 0, gaps: 0, use: 0 };
}
