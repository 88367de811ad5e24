// The shapes of the answers that the command line shows; the daemon gives the same to every door.

/** An instant in ISO 8601 UTC. */
export type Iso = string;

/** `now`, `version` and `clock` belong to a running collector; its journal alone does not know them. */
export interface StatusAnswer {
  readonly collector: string;
  readonly utility: string;
  readonly version?: string;
  readonly now: Iso | null;
  readonly epoch: string;
  readonly upstream: { readonly connected: boolean; readonly detail: string };
  readonly journal: {
    readonly pending: number;
    readonly rows: number;
    readonly oldest_pending: Iso | null;
    readonly detail: string;
  };
  readonly clock: { readonly synced: boolean | null; readonly speed: number } | null;
  readonly buses: readonly {
    readonly bus: string;
    readonly type: string;
    readonly open: boolean;
    readonly detail: string;
    /** Share of the last hour; absent in the answers of older collectors. */
    readonly utilisation?: number;
    /** The weightiest finding, and what to do. */
    readonly says?: string;
    readonly next?: string;
  }[];
  readonly meters: readonly MeterStatus[];
}

/** A meter never read has no installation and no dial yet. */
export interface MeterStatus {
  readonly meter: string;
  readonly inst: number | null;
  readonly bus: string | null;
  readonly digits: number | null;
  readonly unit: string | null;
  readonly pow10: number | null;
  readonly read: number | null;
  readonly at: Iso | null;
  /** Counts. */
  readonly use_this_hour: number | null;
  readonly last_hour: {
    readonly start: Iso;
    readonly q: string;
    readonly use: number | null;
  } | null;
  readonly fault: { readonly code: string; readonly detail: string; readonly since: Iso } | null;
}

export interface IntervalsAnswer {
  readonly meter: string;
  readonly installations: readonly {
    readonly inst: number;
    readonly unit: string;
    readonly pow10: number;
    readonly digits: number;
  }[];
  readonly intervals: readonly {
    readonly inst: number;
    readonly row: number;
    readonly start: Iso;
    readonly read: number | null;
    readonly at: Iso | null;
    readonly total: number | null;
    readonly use: number | null;
    readonly q: string;
    readonly flags: readonly string[];
    readonly rev?: number;
  }[];
  readonly gaps: readonly {
    readonly inst: number;
    readonly row: number;
    readonly from: Iso;
    readonly to: Iso;
    readonly use: number | null;
    readonly why: string;
    readonly flags: readonly string[];
    readonly rev?: number;
  }[];
}

export interface AuditAnswer {
  readonly ok: boolean;
  readonly meters: readonly {
    readonly meter: string;
    readonly inst: number;
    readonly hours: number;
    readonly gaps: number;
    readonly sum: number;
    readonly total: number;
    readonly ok: boolean;
    readonly problem: string | null;
  }[];
  readonly rows: number;
  readonly pending: number;
  readonly acknowledged?: number;
  readonly records?: number | null;
  /** What does not hold, each with its exact place; `problem_count` may be more. */
  readonly problems?: readonly string[];
  readonly problem_count?: number;
}

export interface StatsAnswer {
  readonly rows: number;
  readonly pending: number;
  readonly bytes: number | null;
  readonly free_bytes: number | null;
  readonly bytes_of: Readonly<Record<string, number>>;
  readonly oldest_increment: Iso | null;
  readonly oldest_hour: Iso | null;
  readonly days_kept: { readonly increments: number | null; readonly hours: number | null };
  readonly days_left: number | null;
  readonly limits: {
    readonly increment_days: number;
    readonly hour_days: number;
    readonly event_days: number;
    readonly max_bytes: number;
    readonly min_free_bytes: number;
  };
  readonly written_today: number | null;
  readonly write_budget: number;
}
