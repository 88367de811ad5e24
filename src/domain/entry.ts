// What is kept and published of a meter: hours, gaps, increments and notices, as plain records.

import type { EventEntry } from './alarms.ts';
import type { Counts, EpochMs } from './units.ts';

/** Contract I3. */
export type Quality = 'A' | 'P' | 'M' | 'S' | 'T' | 'H';

/** Contract I7, in the order in which they are published. */
export const FLAGS = [
  'gap',
  'late',
  'rollover',
  'rollover_ambiguous',
  'reverse',
  'restart',
  'clock',
  'unreadable',
  'changeout',
  'config',
  'unconfirmed',
] as const;
export type Flag = (typeof FLAGS)[number];

/** Contract I4. */
export type GapCause = 'bus' | 'power' | 'clock' | 'quarantine' | 'disabled';

/** One UTC hour of one installation; `read`, `at`, `total`, `use` are null where nothing was measured. Key: (meter, inst, start), highest `rev` wins. */
export interface HourEntry {
  readonly kind: 'hour';
  readonly inst: number;
  readonly start: EpochMs;
  /** Dial at the hour's end, read at `at`. */
  readonly read: Counts | null;
  readonly at: EpochMs | null;
  /** Counts since the installation's first reading; does not wrap. */
  readonly total: Counts | null;
  readonly use: Counts | null;
  readonly q: Quality;
  /** Accepted readings in the hour. */
  readonly n: number;
  readonly flags: readonly Flag[];
  readonly rev: number;
}

/** Volume that passed while an hour's edge went unread. Key: (meter, inst, from), highest `rev` wins, `use` null withdraws. */
export interface GapEntry {
  readonly kind: 'gap';
  readonly inst: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly use: Counts | null;
  readonly why: GapCause;
  readonly flags: readonly Flag[];
  readonly rev: number;
}

export type Entry = HourEntry | GapEntry;

/** Its number in the journal: collector-wide, without holes within an epoch. */
export interface Numbered {
  readonly meter: string;
  readonly row: number;
}

export type EntryRow = Entry & Numbered;
export type EventRow = EventEntry & Numbered;

/** What is sent, acknowledged and asked for again by its number. */
export type Row = EntryRow | EventRow;

/** Inclusive ranges of rows. */
export type RowRanges = readonly (readonly [first: number, last: number])[];

/** What the head-end said last of what it has stored (A1), and whether it ever required to be asked (A2). */
export interface Acknowledged {
  /** Rows of another epoch are other rows. */
  readonly epoch: string;
  readonly required: boolean;
  /** Every row up to this one, but those `missing`, is stored there; 0 before it said so. */
  readonly row: number;
  readonly missing: RowRanges;
  readonly sent: EpochMs;
}

/** Counts between two accepted readings of one installation; a journal keeps every one. */
export interface Increment {
  readonly inst: number;
  /** Number of the increment within the installation; the next one begins at the dial where this one ended. */
  readonly seq: number;
  readonly fromAt: EpochMs;
  readonly fromRead: Counts;
  readonly toAt: EpochMs;
  readonly toRead: Counts;
  readonly counts: Counts;
  readonly kind: 'first' | 'forward' | 'reverse';
}

/** A reading that was not believed, or a fact about one, with its evidence; told in the log and kept in the journal. */
export interface Notice {
  readonly code:
    | 'read.jitter'
    | 'read.unconfirmed'
    | 'read.by_person'
    | 'clock.step'
    | 'clock.restated';
  readonly at: EpochMs;
  readonly evidence: Readonly<Record<string, number | string>>;
}

/** Flags without repeats, in the published order. */
export function orderFlags(flags: readonly Flag[]): readonly Flag[] {
  return FLAGS.filter((flag) => flags.includes(flag));
}

/** Rows that a message may carry together (I8): those of one meter and installation, in the order given. */
export function byInstallation(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.meter}/${row.inst}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}
