// What a person should know of a meter, told once: an alarm has one id from its raise to its clear (E1).

import type { Counts, EpochMs } from './units.ts';

/** Event codes that the domain, the journal and the collector raise (E2). */
export const ALARM_CODES = [
  'leak.continuous',
  'leak.intermittent',
  'leak.slow',
  'flow.burst',
  'usage.billing_cycle',
  'usage.daily',
  'usage.multi_day',
  'usage.vacation',
  'usage.none',
  'usage.inactive_service',
  'journal.loss',
  'journal.pressure',
  'journal.repaired',
  'flow.reverse',
  'read.silent',
  'read.unreadable',
  'read.stuck',
  'read.implausible',
  'meter.rollover',
  'meter.changeout',
  'meter.swap_suspected',
  'meter.address_conflict',
  'command.executed',
  'command.refused',
  'config.changed',
  'config.rejected',
  'certificate.expiring',
  'login.failed',
  'takeover_suspected',
  'bus.down',
  'clock.step',
  'clock.unsynced',
] as const;

export type AlarmCode = (typeof ALARM_CODES)[number];

/** Those that the collector tells of itself. */
export type OwnCode = Extract<
  AlarmCode,
  | `journal.${string}`
  | `bus.${string}`
  | `clock.${string}`
  | `command.${string}`
  | `certificate.${string}`
  | `config.${string}`
  | `login.${string}`
  | 'takeover_suspected'
>;

export type Severity = 'info' | 'minor' | 'major';
export type Phase = 'raise' | 'update' | 'clear';

/** Evidence (E3): what was seen, against which limit, how much volume, what will clear it. */
export type Evidence = Readonly<Record<string, number | string | null>>;

/** One message about an alarm. Key: (meter, inst, `alarm`, `message`). */
export interface EventEntry {
  readonly kind: 'event';
  readonly inst: number;
  /** Number of the alarm within the installation, the same from raise to clear. */
  readonly alarm: number;
  /** Number of this message within the alarm, from 0. */
  readonly message: number;
  readonly code: AlarmCode;
  readonly severity: Severity;
  readonly phase: Phase;
  readonly at: EpochMs;
  readonly since: EpochMs;
  readonly data: Evidence;
}

/** An alarm that stands. */
interface Standing {
  readonly alarm: number;
  readonly messages: number;
  readonly severity: Severity;
  readonly since: EpochMs;
  readonly counts: Counts;
  /** Who knows of it. */
  readonly acknowledged?: string;
}

/** An alert of leaks or use that was told and stands; of an earlier installation where it outlived it. */
export interface ToldAlert {
  readonly inst: number;
  readonly alarm: number;
  readonly messages: number;
  readonly code: AlarmCode;
  readonly severity: Severity;
  readonly since: EpochMs;
  /** Hours without water that end it, where it said so. */
  readonly clearsAfterH?: number;
  /** Who knows of it: it is told again when it is over. */
  readonly acknowledged?: string;
}

/** The alarms of an installation. Plain JSON. */
export interface AlarmState {
  /** Number of the next alarm. */
  readonly next: number;
  readonly standing: Readonly<Partial<Record<AlarmCode, Standing>>>;
  /** By the name that who watches has for it. */
  readonly alerts?: Readonly<Record<string, ToldAlert>>;
}

export const NO_ALARMS: AlarmState = { next: 1, standing: {} };

/** The alarms of one installation while one observation is taken in. */
export class AlarmBook {
  readonly entries: EventEntry[] = [];
  #state: AlarmState;
  readonly #inst: number;

  constructor(state: AlarmState, inst: number) {
    this.#state = state;
    this.#inst = inst;
  }

  get state(): AlarmState {
    return this.#state;
  }

  isStanding(code: AlarmCode): boolean {
    return this.#state.standing[code] !== undefined;
  }

  /** Tells something that is over when it is told. */
  note(code: AlarmCode, severity: Severity, at: EpochMs, data: Evidence): void {
    const alarm = this.#take();
    this.#tell({ alarm, message: 0, code, severity, phase: 'raise', at, since: at, data });
  }

  /**
   * Raises `code`, or, where it stands already, updates it when it has become graver. `counts` adds up over the life of
   * the alarm and is told as `counts`.
   */
  raise(
    code: AlarmCode,
    severity: Severity,
    at: EpochMs,
    since: EpochMs,
    data: Evidence,
    counts: Counts = 0,
  ): void {
    const before = this.#state.standing[code];
    const alarm = before?.alarm ?? this.#take();
    const message = before?.messages ?? 0;
    const total = (before?.counts ?? 0) + counts;
    const graver = before !== undefined && before.severity !== 'major' && severity === 'major';
    const told = before === undefined || graver;
    this.#stand(code, {
      ...before,
      alarm,
      messages: told ? message + 1 : message,
      severity: graver ? severity : (before?.severity ?? severity),
      since: before?.since ?? since,
      counts: total,
    });
    if (!told) return;
    const phase = before ? 'update' : 'raise';
    const evidence = counts === 0 ? data : { ...data, counts: total };
    this.#tell({
      ...{ alarm, message, code, severity, phase, at },
      since: before?.since ?? since,
      data: evidence,
    });
  }

  /** Clears `code` where it stands. */
  clear(code: AlarmCode, at: EpochMs, data: Evidence): void {
    const before = this.#state.standing[code];
    if (!before) return;
    const { alarm, messages: message, severity, since, counts } = before;
    this.#stand(code, undefined);
    const evidence = counts === 0 ? data : { ...data, counts };
    this.#tell({ alarm, message, code, severity, phase: 'clear', at, since, data: evidence });
  }

  /** Counts that a standing alarm has added up; 0 where it does not stand. */
  countsOf(code: AlarmCode): Counts {
    return this.#state.standing[code]?.counts ?? 0;
  }

  #take(): number {
    const { next } = this.#state;
    this.#state = { ...this.#state, next: next + 1 };
    return next;
  }

  #stand(code: AlarmCode, standing: Standing | undefined): void {
    const { [code]: _, ...others } = this.#state.standing;
    this.#state = {
      ...this.#state,
      standing: standing ? { ...others, [code]: standing } : others,
    };
  }

  #tell(event: Omit<EventEntry, 'kind' | 'inst'>): void {
    this.entries.push({ kind: 'event', inst: this.#inst, ...event });
  }
}
