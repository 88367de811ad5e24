// What a head-end keeps of the published intervals, in the words of the MQTT contract, times as epoch ms.

export const HOUR_MS = 3_600_000;

/** What one dial shows (contract I2): its capacity is 10^`digits` counts, one count is 10^`pow10` `unit`. */
export interface Dial {
  readonly digits: number;
  readonly unit: string;
  readonly pow10: number;
}

/** One hour of one meter (contract I1 to I3). Numbers are counts; they are null when the hour is missing or suspect. */
export interface HourEntry extends Dial {
  readonly kind: 'hour';
  readonly meter: string;
  readonly inst: number;
  readonly rev: number;
  readonly start: number;
  readonly read: number | null;
  readonly at: number | null;
  readonly total: number | null;
  readonly use: number | null;
  readonly q: string;
}

/** What passed while an hour's edge went unread (contract I4). */
export interface GapEntry extends Dial {
  readonly kind: 'gap';
  readonly meter: string;
  readonly inst: number;
  readonly rev: number;
  readonly from: number;
  readonly to: number;
  /** Null: withdrawn. */
  readonly use: number | null;
  readonly why: string;
}

export type Entry = HourEntry | GapEntry;

/** Where the counting of one installation began (contract S3). */
export interface Installation extends Dial {
  readonly meter: string;
  readonly inst: number;
  readonly initialRead: number;
  readonly installed: number;
  /** Identification of its encoder; absent where none is known. */
  readonly registerId?: string;
}

/** What a collector told of a meter beside its hours (contract E1, E2). */
export interface MeterEvent {
  readonly meter: string;
  readonly inst: number;
  readonly code: string;
  readonly phase: string;
  readonly at: number;
}

/** Two arrivals of one key and one `rev` that differ (contract I6): which entry, and in what. */
export interface Conflict {
  readonly meter: string;
  readonly inst: number;
  readonly what: string;
}

/** The key that names an entry within a utility (contract I4, I6), as text. */
export function keyOf(entry: Entry): string {
  const place = `${entry.meter}/${entry.inst}`;
  return entry.kind === 'hour' ? `${place}/hour/${entry.start}` : `${place}/gap/${entry.from}`;
}

/** `a` modulo `m`, never negative. */
export function modulo(a: number, m: number): number {
  return ((a % m) + m) % m;
}

/** Epoch ms as ISO 8601 UTC, without milliseconds when they are zero. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
