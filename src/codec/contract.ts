// The contract's messages as types, written from docs/contract/*.schema.json; `npm run fix` writes them anew.

/** A1: every row up to `row` of this epoch is stored durably, except the ranges `missing`, which are asked for again. */
export interface Ack {
  readonly v: 1;
  readonly type: 'ack';
  readonly collector: Identifier;
  readonly epoch: Epoch;
  /** 0: none yet. */
  readonly row: number;
  readonly missing: readonly Rows[];
  readonly sent: Instant;
}

/** S2: what the collector is and holds, at start, after a change of its settings, and when asked. Where the meters do not fit in 32 KB, their count and hash stand for them. */
export interface Birth {
  readonly v: 1;
  readonly type: 'birth';
  readonly collector: Identifier;
  readonly session: Session;
  readonly software: Text;
  /** Full version of the contract. */
  readonly contract: string;
  readonly config_rev: Text;
  readonly epoch: Epoch;
  readonly oldest_hour: Hour | null;
  readonly rows_pending: number;
  /** Names of the commands it takes. */
  readonly commands: readonly string[];
  readonly meters?: readonly {
    readonly meter: Identifier;
    readonly inst: Inst;
    readonly rev: Rev;
  }[];
  readonly meters_count?: number;
  readonly meters_hash?: number;
  readonly sent: Instant;
}

/** C1 to C6: a command to a collector. Never retained, at most 8 KiB; an id is executed once. */
export interface Command {
  readonly v: 1;
  readonly type: 'cmd';
  readonly id: string;
  readonly name: string;
  /** Who asks, for the record. */
  readonly by: string;
  readonly issued: Instant;
  readonly expires: Instant;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A name that may stand in a topic. Never a customer's name or address. */
export type Identifier = string;

/** Names one start of the sender. */
export type Session = string;

/** Names the life of a journal; rows count without holes within it. */
export type Epoch = string;

/** ISO 8601 in UTC, with milliseconds where they are not zero. */
export type Instant = string;

/** The beginning of a UTC hour. */
export type Hour = string;

/** Unit of volume; one count is 10^pow10 of it. */
export type Unit = 'ft3' | 'gal' | 'm3' | 'L';

export type Pow10 = number;

/** The dial wraps at 10^digits counts. */
export type Digits = number;

/** Number of the meter that stands at the place, from 1. */
export type Inst = number;

/** Number of an hour, gap or event message in the journal. */
export type Row = number;

/** Rows from the first to the second, both included. */
export type Rows = readonly [Row, Row];

/** What the dial shows, in counts. */
export type Register = number;

/** Counts of the dial; negative where it went back. */
export type Counts = number;

/** The highest one of a key counts; absent is 0. */
export type Rev = number;

/** A actual, P partial, M missing, S suspect, T maintenance, H read by a person. A reader takes an unknown one for S. */
export type Quality = 'A' | 'P' | 'M' | 'S' | 'T' | 'H';

/** A reader takes an unknown one for information. */
export type Flags = readonly (
  | 'gap'
  | 'late'
  | 'rollover'
  | 'rollover_ambiguous'
  | 'reverse'
  | 'restart'
  | 'clock'
  | 'unreadable'
  | 'changeout'
  | 'config'
  | 'unconfirmed'
)[];

export type Text = string;

/** E1 to E3: something a person should know, of a meter or of the collector itself. */
export interface EventMessage {
  readonly v: 1;
  readonly type: 'event';
  readonly epoch: Epoch;
  readonly collector: Identifier;
  readonly row: Row;
  /** The same from raise to clear, unique to the collector. */
  readonly id: string;
  readonly meter?: Identifier;
  readonly inst?: Inst;
  readonly code:
    | 'leak.continuous'
    | 'leak.intermittent'
    | 'leak.slow'
    | 'flow.burst'
    | 'flow.reverse'
    | 'usage.billing_cycle'
    | 'usage.daily'
    | 'usage.multi_day'
    | 'usage.vacation'
    | 'usage.none'
    | 'usage.inactive_service'
    | 'read.silent'
    | 'read.unreadable'
    | 'read.stuck'
    | 'read.implausible'
    | 'meter.rollover'
    | 'meter.changeout'
    | 'meter.swap_suspected'
    | 'meter.address_conflict'
    | 'bus.down'
    | 'journal.pressure'
    | 'journal.loss'
    | 'journal.repaired'
    | 'clock.step'
    | 'clock.unsynced'
    | 'config.changed'
    | 'config.rejected'
    | 'command.executed'
    | 'command.refused'
    | 'login.failed'
    | 'certificate.expiring'
    | 'takeover_suspected';
  readonly severity: 'info' | 'minor' | 'major';
  readonly phase: 'raise' | 'update' | 'clear';
  readonly at: Instant;
  readonly since: Instant;
  /** The evidence: what was seen, against which limit, how much volume, what will clear it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Whether a head-end listens, and whether its acknowledgements are to be waited for (A2). Retained, and with `offline` its will. */
export interface HeadEndState {
  readonly v: 1;
  readonly type: 'headend';
  readonly state: 'online' | 'offline';
  readonly session: Session;
  readonly ack: 'required' | 'none';
}

/** S4: how the collector fares, every 15 minutes. What nobody can tell is null. */
export interface Health {
  readonly v: 1;
  readonly type: 'health';
  readonly collector: Identifier;
  readonly session: Session;
  readonly uptime_s: number;
  readonly clock: {
    readonly synced: boolean | null;
    readonly offset_ms: number | null;
    readonly source: string | null;
  };
  readonly journal: {
    /** Rows. */
    readonly pending: number;
    readonly oldest_pending: Instant | null;
    readonly bytes: number | null;
    /** Until the disk is full at this rate. */
    readonly days_left: number | null;
    /** Until nothing is pending; null while nothing drains. */
    readonly drain_eta_s: number | null;
  };
  readonly disk: {
    readonly free_bytes: number;
    readonly total_bytes: number;
  } | null;
  readonly buses: readonly {
    readonly bus: Identifier;
    readonly polls: number;
    readonly ok: number;
    readonly timeouts: number;
    readonly crc: number;
    readonly exceptions: number;
    readonly late_refused: number;
    readonly rtt_p50_ms: number | null;
    readonly rtt_p95_ms: number | null;
    /** Framing errors that the kernel counted; null where it counts none. */
    readonly framing: number | null;
  }[];
  readonly meters_silent: readonly Identifier[];
  readonly sent: Instant;
}

/** One UTC hour. Key: utility, meter, inst, start. */
export interface HourEntry {
  readonly row: Row;
  readonly start: Hour;
  /** The dial at the end of the hour. */
  readonly read: Register | null;
  /** When `read` was read. */
  readonly at: Instant | null;
  /** Counts since the beginning of the installation; does not wrap. */
  readonly total: Counts | null;
  /** Counts of this hour. 0 is a measurement; null where a person read the dial and the volume since the reading before is a gap. */
  readonly use: Counts | null;
  readonly q: Quality;
  /** Accepted readings in the hour. */
  readonly n: number;
  readonly flags: Flags;
  readonly rev?: Rev;
}

/** What passed while an edge went unread. Key: utility, meter, inst, from. */
export interface GapEntry {
  readonly row: Row;
  readonly from: Instant;
  readonly to: Instant;
  /** Counts; null withdraws the gap. */
  readonly use: Counts | null;
  readonly why: 'bus' | 'power' | 'clock' | 'quarantine' | 'disabled';
  readonly flags: Flags;
  readonly rev?: Rev;
}

/** I1 to I10: hours and gaps of one meter and installation, at most 168 of them and 32 KB. */
export interface IntervalMessage {
  readonly v: 1;
  readonly type: 'interval';
  readonly collector: Identifier;
  readonly epoch: Epoch;
  readonly meter: Identifier;
  readonly inst: Inst;
  readonly unit: Unit;
  readonly pow10: Pow10;
  readonly digits: Digits;
  /** Seconds of an hour. */
  readonly len: 3600;
  readonly cause: 'scheduled' | 'backfill' | 'replay' | 'ondemand' | 'final';
  readonly sent: Instant;
  readonly intervals: readonly HourEntry[];
  readonly gaps: readonly GapEntry[];
}

/** The latest reading and the use of its hour so far; retained, off by default. For showing, never for bills. */
export interface LastReading {
  readonly v: 1;
  readonly type: 'last';
  readonly collector: Identifier;
  readonly meter: Identifier;
  readonly inst: Inst;
  readonly unit: Unit;
  readonly pow10: Pow10;
  readonly digits: Digits;
  readonly start: Hour;
  readonly read: Register;
  readonly at: Instant;
  readonly total: Counts;
  /** Counts of the hour so far; null where its beginning went unread. */
  readonly use: Counts | null;
  readonly sent: Instant;
}

/** S3: what stands at a place and how it is read. Retained; an empty payload in its place says that the meter was removed. What nobody has established is null. */
export interface MeterInfo {
  readonly v: 1;
  readonly type: 'meter';
  readonly meter: Identifier;
  readonly inst: Inst;
  /** Differs whenever anything else in the message does. */
  readonly rev: number;
  readonly body_serial: string | null;
  readonly register_id: string | null;
  readonly register: 'single' | 'high' | 'low';
  readonly service_point: string | null;
  readonly route: string | null;
  readonly service: 'active' | 'inactive';
  readonly unit: Unit;
  readonly pow10: Pow10;
  readonly digits: Digits;
  readonly size: string | null;
  readonly profile: string;
  readonly bus: string | null;
  readonly address: string | null;
  readonly poll_s: number;
  readonly tolerance_s: number;
  readonly max_flow_per_h: number;
  /** When it was first read. */
  readonly installed: Instant | null;
  /** Its dial then, where `total` is 0. */
  readonly initial_read: Register | null;
  /** When a person last compared the dial, who, and what it showed. */
  readonly verified: {
    readonly at: Instant;
    readonly by: Text;
    readonly dial: Register;
  } | null;
  /** The smallest leak that this dial can show: `rate_per_h` in `unit`, found after `after_h` hours as a rule, and the smallest one found within a day. Null for a dial that only people read. */
  readonly detectable: Readonly<Record<string, unknown>> | null;
}

/** C1: the answer to a command. */
export interface CommandAnswer {
  readonly v: 1;
  readonly type: 'rsp';
  /** The command's; null where none could be read. */
  readonly id: string | null;
  readonly name: string | null;
  readonly status: 'accepted' | 'running' | 'done' | 'error';
  readonly code:
    | 'ok'
    | 'bad_request'
    | 'unknown_command'
    | 'unknown_meter'
    | 'expired'
    | 'busy'
    | 'forbidden'
    | 'conflict'
    | 'no_answer'
    | 'verify_failed'
    | 'internal';
  readonly at: Instant;
  readonly data: Readonly<Record<string, unknown>>;
}

/** S5: how well the meters were read on one local day. */
export interface Scorecard {
  readonly v: 1;
  readonly type: 'scorecard';
  readonly collector: Identifier;
  /** The local day. */
  readonly day: string;
  /** Where it begins, in UTC; a day has 23, 24 or 25 hours. */
  readonly from: Instant;
  readonly to: Instant;
  readonly reads: {
    readonly due: number;
    readonly made: number;
  };
  readonly hours: {
    readonly actual: number;
    readonly partial: number;
    readonly missing: number;
  };
  readonly meters: {
    readonly available: number;
    readonly unavailable: readonly {
      readonly meter: Identifier;
      readonly reason: Text;
    }[];
  };
  /** Share of the meters read at least once in the last day, and in the last three; null without meters. */
  readonly success: {
    readonly day_1: number | null;
    readonly day_3: number | null;
  };
  /** The meters whose billing window is open. */
  readonly billing: readonly {
    readonly meter: Identifier;
    readonly in_hand: boolean;
  }[];
  readonly sent: Instant;
}

/** S1: how the collector is. Retained, and with `lost` its will, which carries no time. */
export interface CollectorState {
  readonly v: 1;
  readonly type: 'state';
  readonly collector: Identifier;
  readonly session: Session;
  readonly state: 'ready' | 'alert' | 'disconnected' | 'lost';
  readonly sent?: Instant;
}
