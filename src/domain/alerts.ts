// What is said of leaks and use becomes events of an installation: one number from raise to clear, told once.

import type {
  AlarmCode,
  AlarmState,
  EventEntry,
  Evidence,
  Phase,
  Severity,
  ToldAlert,
} from './alarms.ts';
import type { EpochMs } from './units.ts';

/** One message of those who watch. `name` is theirs for the alert, the same from raise to clear. */
export interface Said {
  readonly name: string;
  readonly code: AlarmCode;
  readonly severity: Severity;
  readonly phase: Phase;
  readonly at: EpochMs;
  readonly since: EpochMs;
  readonly data: Evidence;
}

/** Alarms after something was said, and the messages to be told. */
export interface Told {
  readonly alarms: AlarmState;
  readonly events: readonly EventEntry[];
}

/** Names of alerts that end with their installation; those of use belong to the place. */
export const LEAK_NAME = /^(?:leak|rule)-/;
/** Names of leaks that the watch finds: a maker's rule says nothing of which leak it sees. */
export const FOUND_LEAK = /^leak-/;

/**
 * Tells what is said. What was raised already is not raised again, and what was never raised is not cleared; an update of
 * what nobody was told of raises it. A leak that is found anew where one of which nothing is remembered still stands is
 * that one.
 */
export function tell(before: AlarmState, inst: number, said: readonly Said[]): Told {
  const book = new Book(before, inst);
  for (const one of said) book.take(one);
  return { alarms: book.alarms, events: book.events };
}

/** Alerts of the given names that stand in this installation's book. */
export function standingAlerts(
  { alerts = {} }: AlarmState,
  names: RegExp,
): readonly (readonly [name: string, told: ToldAlert])[] {
  return Object.entries(alerts).filter(([name]) => names.test(name));
}

/** What stands of an installation that ends: its leaks are over, alerts of use go on in the next one. */
export function endAlerts(before: AlarmState, inst: number, at: EpochMs, outcome: string): Told {
  const over = standingAlerts(before, LEAK_NAME).map(
    ([name, { code, severity, since }]): Said => ({
      ...{ name, code, severity, phase: 'clear', at, since, data: { outcome } },
    }),
  );
  return tell(before, inst, over);
}

class Book {
  readonly events: EventEntry[] = [];
  alarms: AlarmState;
  readonly #inst: number;

  constructor(alarms: AlarmState, inst: number) {
    this.alarms = alarms;
    this.#inst = inst;
  }

  take(said: Said): void {
    const known = this.alarms.alerts?.[said.name];
    if (said.phase === 'clear') {
      if (known) this.#tell(said, known, 'clear');
    } else if (known && said.phase === 'update') {
      // Who knows of it is told again when it is graver, or over.
      const isGraver = said.severity === 'major' && known.severity !== 'major';
      if (known.acknowledged === undefined || isGraver) this.#tell(said, known, 'update');
    } else if (!known) {
      this.#raise(said);
    }
  }

  #raise(said: Said): void {
    const orphan = FOUND_LEAK.test(said.name) ? this.#orphan() : undefined;
    if (orphan) {
      const [name, told] = orphan;
      this.#keep(name, undefined);
      this.#keep(said.name, told);
      return this.take({ ...said, phase: 'update' });
    }
    const { next } = this.alarms;
    const { code, severity, since } = said;
    this.alarms = { ...this.alarms, next: next + 1 };
    const told = { inst: this.#inst, alarm: next, messages: 0, code, severity, since };
    this.#tell(said, told, 'raise');
  }

  /** A leak that stands and that nobody remembers. */
  #orphan(): readonly [name: string, told: ToldAlert] | undefined {
    return Object.entries(this.alarms.alerts ?? {}).find(([name]) => name.startsWith(ORPHAN));
  }

  /** Code and beginning stay those of the raise (E1). */
  #tell({ name, severity, at, data }: Said, told: ToldAlert, phase: Phase): void {
    const { inst, alarm, messages: message, code, since } = told;
    const event = { inst, alarm, message, code, severity, phase, at, since, data };
    this.events.push({ kind: 'event', ...event });
    const hours = data['clears_after_h'];
    const clears = typeof hours === 'number' ? { clearsAfterH: hours } : {};
    const after = { ...told, ...clears, severity, messages: message + 1 };
    this.#keep(name, phase === 'clear' ? undefined : after);
  }

  #keep(name: string, told: ToldAlert | undefined): void {
    const { [name]: _, ...others } = this.alarms.alerts ?? {};
    this.alarms = { ...this.alarms, alerts: told ? { ...others, [name]: told } : others };
  }
}

/** Stands before the names of leaks that were told and of which the watch remembers nothing. */
const ORPHAN = 'leak-lost-';

/** Names anew what stands and is not among `remembered`: nothing but a pause ends it, or a leak found anew. */
export function disown(before: AlarmState, remembered: ReadonlySet<string>): AlarmState {
  const lost = standingAlerts(before, FOUND_LEAK).filter(
    ([name]) => !remembered.has(name) && !name.startsWith(ORPHAN),
  );
  if (lost.length === 0) return before;
  const alerts = { ...before.alerts };
  for (const [name, told] of lost) {
    delete alerts[name];
    alerts[`${ORPHAN}${told.alarm}`] = told;
  }
  return { ...before, alerts };
}

/** Without a pause of this many hours a leak that nobody remembers is not over, where it did not say so itself. */
const CLEARS_AFTER_H = 24;

/** Clears leaks of which nothing is remembered, after `idleH` hours without a count. */
export function pausesOf(alarms: AlarmState, idleH: number, at: EpochMs): readonly Said[] {
  if (idleH === 0 || !alarms.alerts) return [];
  return standingAlerts(alarms, /^leak-lost-/).flatMap(([name, told]): Said[] => {
    const { code, severity, since, clearsAfterH = CLEARS_AFTER_H } = told;
    if (idleH < clearsAfterH) return [];
    const data = { outcome: 'a pause', idle_h: Math.floor(idleH) };
    return [{ name, code, severity, phase: 'clear', at, since, data }];
  });
}

/** Which alarm stands under this number, of alerts and of all others; undefined where none does. */
export function standingAlarm(
  { alerts = {}, standing }: AlarmState,
  present: number,
  inst: number,
  alarm: number,
): Pick<ToldAlert, 'code' | 'since' | 'acknowledged'> | undefined {
  const alert = Object.values(alerts).find((one) => one.inst === inst && one.alarm === alarm);
  if (alert) return alert;
  for (const [code, one] of Object.entries(standing)) {
    if (inst === present && one.alarm === alarm) return { ...one, code: code as AlarmCode };
  }
  return undefined;
}

/** Somebody knows of an alarm that stands: told once as its update, and kept with it. */
export function acknowledge(
  before: AlarmState,
  inst: number,
  alarm: number,
  by: string,
  at: EpochMs,
): Told {
  const alerts = { ...before.alerts };
  const standing = { ...before.standing };
  const events: EventEntry[] = [];
  const tellOf = (code: AlarmCode, { messages: message, severity, since }: Noted) => {
    const data = { acknowledged_by: by };
    const event = {
      inst,
      alarm,
      message,
      code,
      severity,
      phase: 'update',
      at,
      since,
      data,
    } as const;
    events.push({ kind: 'event', ...event });
  };
  for (const [name, one] of Object.entries(alerts)) {
    if (one.inst !== inst || one.alarm !== alarm) continue;
    tellOf(one.code, one);
    alerts[name] = { ...one, messages: one.messages + 1, acknowledged: by };
  }
  for (const [code, one] of Object.entries(standing)) {
    if (one.alarm !== alarm || events.length > 0) continue;
    tellOf(code as AlarmCode, one);
    standing[code as AlarmCode] = { ...one, messages: one.messages + 1, acknowledged: by };
  }
  return { alarms: { ...before, alerts, standing }, events };
}

type Noted = Pick<ToldAlert, 'messages' | 'severity' | 'since'>;
