// The answers of the collector's commands, as far as the pages read them.

import type { VolumeUnit } from '../../domain/units.ts';

export interface MeterFault {
  readonly code: string;
  readonly detail: string;
  readonly since: string;
}

export interface MeterLine {
  readonly meter: string;
  readonly inst: number | null;
  readonly digits: number | null;
  readonly unit: VolumeUnit | null;
  readonly pow10: number | null;
  readonly read: number | null;
  readonly at: string | null;
  readonly use_this_hour: number | null;
  readonly last_hour: {
    readonly start: string;
    readonly q: string;
    readonly use: number | null;
  } | null;
  readonly bus: string;
  readonly fault: MeterFault | null;
}

export interface BusLine {
  readonly bus: string;
  readonly type: string;
  readonly open: boolean;
  readonly detail: string;
  readonly utilisation: number;
  readonly says: string;
  readonly next: string;
}

export interface Status {
  readonly collector: string;
  readonly utility: string;
  readonly version: string;
  readonly now: string;
  readonly epoch: string;
  readonly upstream: {
    readonly connected: boolean;
    readonly detail: string;
    readonly refused: number;
  };
  readonly journal: {
    readonly pending: number;
    readonly rows: number;
    readonly oldest_pending: string | null;
    readonly detail: string;
  };
  readonly clock: { readonly synced: boolean | null; readonly speed: number } | null;
  readonly buses: readonly BusLine[];
  readonly meters: readonly MeterLine[];
}

export type Evidence = Readonly<Record<string, number | string | null>>;

export interface EventLine {
  readonly row: number;
  readonly id: string;
  readonly meter?: string;
  readonly inst?: number;
  readonly code: string;
  readonly severity: string;
  readonly phase: string;
  readonly at: string;
  readonly since: string;
  readonly data: Evidence;
  readonly acknowledged_by?: string | null;
  readonly acked?: boolean | string | null;
}

export interface HourLine {
  readonly inst: number;
  readonly row: number;
  readonly start: string;
  readonly read: number | null;
  readonly total: number | null;
  readonly use: number | null;
  readonly q: string;
  readonly flags: readonly string[];
}

export interface GapLine {
  readonly inst: number;
  readonly from: string;
  readonly to: string;
  readonly use: number | null;
  readonly why: string;
  readonly flags: readonly string[];
}

export interface DialFacts {
  readonly digits: number;
  readonly unit: VolumeUnit;
  readonly pow10: number;
}

export interface Intervals {
  readonly meter: string;
  readonly installations: readonly (DialFacts & { readonly inst: number })[];
  readonly intervals: readonly HourLine[];
  readonly gaps: readonly GapLine[];
}

export interface ReadAnswer extends DialFacts {
  readonly meter: string;
  readonly read: number | null;
  readonly dial: string;
  readonly at: string | null;
  readonly q: string;
}

export interface VerifyAnswer {
  readonly meter: string;
  readonly verdict: string;
  readonly read: number;
  readonly dial: string;
  readonly digits: number;
  readonly difference: number | null;
  readonly ignored_digit?: number | null;
  readonly factor?: number | null;
  readonly places?: Readonly<Record<string, string | number>>;
}

export interface ScanFound {
  readonly way: string;
  readonly baud: number | null;
  readonly parity: string | null;
  readonly address: string | null;
  readonly garbled: boolean;
  readonly fits: readonly {
    readonly profile: string;
    readonly digits: string | null;
    readonly id: string | null;
  }[];
}

export interface ScanProgress {
  readonly bus: string;
  readonly asked: number;
  readonly of: number;
  readonly found: readonly ScanFound[];
  readonly left_ms: number;
  readonly over: boolean;
  readonly fault: string | null;
}

export type StepResult = Readonly<Record<string, unknown>>;

export interface Step {
  readonly step: string;
  readonly state: 'todo' | 'running' | 'done' | 'failed' | 'skipped';
  readonly at: string | null;
  readonly result: StepResult | null;
}

export interface Commission {
  readonly id: string;
  readonly meter: string | null;
  readonly bus?: string | null;
  readonly by: string;
  readonly began: string;
  readonly steps: readonly Step[];
  readonly next: string | null;
  readonly done: boolean;
  readonly ended?: { readonly at: string; readonly how: string } | null;
}

export interface Amount {
  readonly amount: number;
  readonly unit: VolumeUnit;
}

export interface Vacation extends Amount {
  readonly meter?: string;
  readonly from: string;
  readonly to: string;
  /** Its last day has passed. */
  readonly over?: boolean;
}

export interface MeterShown {
  readonly meter: string;
  readonly installation:
    | (DialFacts & {
        readonly inst: number;
        readonly body_serial: string | null;
        readonly register_id: string | null;
        readonly since: string | null;
      })
    | null;
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly last: {
    readonly read: number;
    readonly at: string;
    readonly q: string;
    readonly disabled?: boolean;
  } | null;
  readonly commissioned: {
    readonly at: string;
    readonly by: string;
    readonly report?: string;
  } | null;
  readonly events_open: readonly EventLine[];
  readonly detectable: {
    readonly rate_per_h: number | null;
    readonly unit: VolumeUnit;
    readonly after_h: number | null;
  } | null;
  readonly alerts: {
    readonly billing_cycle?: (Amount & { readonly day: number }) | null;
    readonly daily?: Amount | null;
    readonly multi_day?: (Amount & { readonly days: number }) | null;
    readonly no_use_days?: number | null;
  };
  readonly vacations: readonly Vacation[];
  readonly service: string | null;
  readonly bus: string | null;
}

export type Tally = Readonly<Record<string, number>>;

export interface BusAdvice {
  readonly code: string;
  readonly meters: readonly string[];
  readonly says: string;
  readonly next: string;
}

export interface BusStats {
  readonly bus: string;
  readonly type: string;
  readonly open: boolean;
  readonly detail: string;
  readonly timeout_ms: number;
  readonly utilisation: number | null;
  readonly headroom_per_min: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly advice: readonly BusAdvice[];
  readonly total: Tally;
  readonly day: Tally;
  readonly meters: readonly {
    readonly meter: string;
    readonly address: string | null;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    readonly total: Tally;
    readonly day: Tally;
  }[];
}

export interface TracedFrame {
  readonly at_us: number;
  readonly dir: 'tx' | 'rx';
  readonly hex: string;
  readonly gap_us: number;
}

export interface Check {
  readonly area: string;
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'bad' | 'unknown';
  readonly cause: string;
  readonly places?: Readonly<Record<string, string | number>>;
  readonly says?: string;
  readonly next?: string;
}

export interface QueueStatus {
  readonly pending: number;
  readonly oldest: string | null;
  readonly drain_eta_s: number | null;
  readonly refused: number;
  readonly refused_why?: string;
  readonly connected: boolean;
  readonly link?: string;
  readonly window: number;
  readonly awaiting_ack?: number | null;
  readonly last_row?: number;
  readonly acknowledged_row?: number | null;
}
