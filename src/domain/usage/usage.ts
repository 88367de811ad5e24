// Usage alerts of one place: billing cycle, day, several days, vacation, no use, use on an inactive service.

import type { Evidence, Phase, Severity } from '../alarms.ts';
import type { Resolution } from '../leaks/rates.ts';
import { gallonsPerCount } from '../leaks/rates.ts';
import type { Counts, EpochMs } from '../units.ts';
import { type CivilDay, cycleStart, dateOf, type Zone } from './civil.ts';
import { type Amount, type Threshold, thresholdOf } from './threshold.ts';

/** Codes of contract E2 that this page raises. */
export type UsageCode =
  | 'usage.billing_cycle'
  | 'usage.daily'
  | 'usage.multi_day'
  | 'usage.vacation'
  | 'usage.none'
  | 'usage.inactive_service';

export interface UsageRules {
  readonly dial: Resolution;
  readonly pollMs: number;
  readonly zone: Zone;
  /** The cycle begins on this day of the month, 1 to 31. */
  readonly billingCycle?: Amount & { readonly day: number };
  readonly daily?: Amount;
  /** Over this many civil days, today included; default 7. */
  readonly multiDay?: Amount & { readonly days?: number };
  /** First and last day, both included. While it lasts it replaces the other thresholds. */
  readonly vacation?: Amount & { readonly from: CivilDay; readonly to: CivilDay };
  /** Days without a count that are told. */
  readonly noUseDays?: number;
  readonly service: 'active' | 'inactive';
}

/** One message about an alert; `alarm` is the same from raise to clear, `message` counts from 0. */
export interface UsageEvent {
  readonly alarm: number;
  readonly message: number;
  readonly code: UsageCode;
  readonly severity: Severity;
  readonly phase: Phase;
  readonly at: EpochMs;
  readonly since: EpochMs;
  readonly data: Evidence;
}

/** An alert that stands. */
interface Standing {
  readonly alarm: number;
  readonly messages: number;
  readonly since: EpochMs;
  readonly told: CivilDay;
}

interface Told {
  readonly day: CivilDay;
  readonly use: Counts;
  /** All water of the place until then: without more of it nothing is told again. */
  readonly total: Counts;
  /** On which day what has left a rolling window was last taken off `use`; absent: on `day`. */
  readonly turned?: CivilDay;
}

/** What is remembered of a place. Plain JSON; it outlives change-outs. */
export interface Usage {
  readonly today: CivilDay | null;
  readonly at: EpochMs;
  /** Counts of today, and of the days before, the newest first. */
  readonly use: Counts;
  readonly past: readonly Counts[];
  readonly movedAt: EpochMs | null;
  /** Counts ever moved, either way. */
  readonly total: Counts;
  /** Counts on an inactive service; null while it is active. */
  readonly stray: Counts | null;
  readonly next: number;
  readonly standing: Readonly<Partial<Record<UsageCode, Standing>>>;
  /** On which day and at which use a window was told: while it holds that day it is told again only above that use. */
  readonly told: Readonly<Partial<Record<UsageCode, Told>>>;
}

/** Days of use that are kept: the longest window. */
export const WINDOW_DAYS_MAX = 120;
/** Readings further apart than so many polls cannot place their counts on one of two days. */
const MISSED_POLLS = 2.5;
/** Counts that a dial may rock on a service without use. */
const STRAY_COUNTS = 2;
const MULTI_DAYS = 7;
const HOUR_MS = 3_600_000;

export const NO_USAGE: Usage = {
  today: null,
  at: 0,
  use: 0,
  past: [],
  movedAt: null,
  total: 0,
  stray: 0,
  next: 1,
  standing: {},
  told: {},
};

/** One accepted reading: `counts` moved since the one before, signed. */
export interface UsageStep {
  readonly at: EpochMs;
  readonly elapsedMs: number;
  readonly counts: Counts;
}

export interface UsageOutcome {
  readonly usage: Usage;
  readonly events: readonly UsageEvent[];
}

/** Takes one accepted reading in. Changed rules are taken in by `reconfigure` first. */
export function consume(usage: Usage, step: UsageStep, rules: UsageRules): UsageOutcome {
  const { at, elapsedMs } = step;
  if (restsQuietly(usage, step, rules)) {
    const rested = draftOfUsage(usage);
    rested.at = at;
    return { usage: rested, events: NO_EVENTS };
  }
  const ended = usage.today !== null && rules.zone(at) === usage.today + 1;
  const placed = elapsedMs <= MISSED_POLLS * rules.pollMs;
  if (!ended || !placed || rules.zone(at - elapsedMs / 2) !== usage.today) {
    return judge(add(usage, step, rules), at, rules);
  }
  // What the reading at midnight ends is judged before the next day begins.
  const ending = draftOfUsage(usage);
  ending.use += step.counts;
  const last = judge(moved(usage, ending, step, rules), at, rules);
  const first = judge(turnDays(last.usage, rules.zone(at)), at, rules);
  return { usage: first.usage, events: [...last.events, ...first.events] };
}

const NO_EVENTS: readonly UsageEvent[] = [];

/** A caller's own copy, to be changed in place. */
type Draft = { -readonly [K in keyof Usage]: Usage[K] };

/** A copy, field by field: one is made at every reading, and a spread takes several times as long (V8). */
export function draftOfUsage(usage: Usage): Draft {
  return {
    today: usage.today,
    at: usage.at,
    use: usage.use,
    past: usage.past,
    movedAt: usage.movedAt,
    total: usage.total,
    stray: usage.stray,
    next: usage.next,
    standing: usage.standing,
    told: usage.told,
  };
}

/** Whether nothing can follow from a dial that stands still: the same day, judged before, and nothing due by time. */
function restsQuietly(usage: Usage, { at, counts }: UsageStep, rules: UsageRules): boolean {
  const { today, movedAt, standing } = usage;
  if (counts !== 0 || today === null || movedAt === null || rules.zone(at) !== today) return false;
  const { noUseDays, service } = rules;
  if (service === 'inactive' && usage.stray === null) return false;
  if (noUseDays !== undefined && at - movedAt >= noUseDays * 24 * HOUR_MS) return false;
  for (const code in standing) {
    const one = standing[code as UsageCode];
    if (one && one.told < today) return false;
  }
  return true;
}

/**
 * Takes changed rules in at once: what stands and is no longer reached is cleared, what is reached is raised, but for windows
 * that were over before `now`.
 */
export function reconfigure(
  usage: Usage,
  at: EpochMs,
  rules: UsageRules,
  now: EpochMs = at,
): UsageOutcome {
  return judge(usage, at, rules, rules.zone(now));
}

/** The same use in counts of another dial, every sum of days up to now rounded down: a change-out raises nothing. */
export function changeDial(usage: Usage, from: Resolution, to: Resolution): Usage {
  const factor = gallonsPerCount(from) / gallonsPerCount(to);
  const convert = (counts: Counts) => Math.floor(counts * factor + 1e-9);
  let sum = usage.use;
  const past = usage.past.map((counts) => {
    const before = convert(sum);
    sum += counts;
    return convert(sum) - before;
  });
  const told = Object.fromEntries(
    Object.entries(usage.told).map(([code, one]) => {
      const use = code === 'usage.none' ? one.use : Math.ceil(one.use * factor);
      return [code, { ...one, use, total: convert(one.total) }];
    }),
  );
  return {
    ...usage,
    use: convert(usage.use),
    past,
    total: convert(usage.total),
    stray: usage.stray === null ? null : convert(usage.stray),
    told,
  };
}

/**
 * Counts go to the day in which most of their time lies; over missed polls to that on which the polls began to fail: windows
 * that hold all of the time hold them.
 */
function add(before: Usage, step: UsageStep, rules: UsageRules): Usage {
  const { at, elapsedMs, counts } = step;
  const usage = turnDays(before, rules.zone(at));
  const { today } = usage;
  const missed = elapsedMs > MISSED_POLLS * rules.pollMs;
  const day = rules.zone(missed ? at - elapsedMs : at - elapsedMs / 2);
  // The first day of a place begins with its first reading.
  const back = before.today === null && !missed ? 0 : Math.max(0, today - day);
  const past = back === 0 || counts === 0 ? usage.past : addTo(usage.past, back, counts);
  const use = back > 0 ? usage.use : usage.use + counts;
  const draft = draftOfUsage(usage);
  draft.use = use;
  draft.past = past;
  return moved(before, draft, step, rules);
}

/** What a reading changes whatever its day, in `after`. */
function moved(before: Usage, after: Draft, { at, counts }: UsageStep, rules: UsageRules): Usage {
  after.at = at;
  after.total = before.total + Math.abs(counts);
  after.movedAt = counts !== 0 || before.movedAt === null ? at : Math.min(before.movedAt, at);
  after.stray = rules.service === 'inactive' ? strayOf(before.stray, counts) : null;
  return after;
}

/** What ran since the last reading under an active service may have run before it was off. */
const strayOf = (before: Counts | null, counts: Counts): Counts =>
  before === null ? 0 : before + counts;

/** Adds counts to the day so many days back; before all that is kept they are in no window. */
function addTo(past: readonly Counts[], back: number, counts: Counts): readonly Counts[] {
  if (back > WINDOW_DAYS_MAX) return past;
  const long = past.length < back ? [...past, ...noUseOf(back - past.length)] : past;
  return long.with(back - 1, (long[back - 1] as number) + counts);
}

const noUseOf = (days: number): Counts[] => Array.from({ length: days }, () => 0);

/** Midnight has passed, once or more often. A clock that went back over a day leaves no day that can be told. */
function turnDays(usage: Usage, today: CivilDay): Usage & { readonly today: CivilDay } {
  if (usage.today === today) return usage as Usage & { readonly today: CivilDay };
  const passed = usage.today === null ? 0 : today - usage.today;
  if (passed < -1) return { ...usage, ...toldUpTo(usage, today), today, use: 0, past: [] };
  if (passed <= 0) return { ...usage, today: usage.today ?? today };
  const empty = noUseOf(Math.min(passed - 1, WINDOW_DAYS_MAX));
  const past = [...empty, usage.use, ...usage.past].slice(0, WINDOW_DAYS_MAX);
  return { ...usage, today, use: 0, past };
}

/** What was told under a clock that was ahead silences nothing on the days that are still to come. */
function toldUpTo({ told, standing }: Usage, today: CivilDay): Pick<Usage, 'told' | 'standing'> {
  const known = Object.entries(told).filter(([, { day }]) => day <= today);
  const stands = Object.entries(standing).map(([code, one]) => [
    code,
    { ...one, told: Math.min(one.told, today) },
  ]);
  return { told: Object.fromEntries(known), standing: Object.fromEntries(stands) };
}

/** A window of civil days with its threshold. */
interface Window {
  readonly code: UsageCode;
  readonly from: CivilDay;
  readonly to: CivilDay;
  readonly amount: Amount;
}

const WINDOW_CODES = [
  'usage.vacation',
  'usage.billing_cycle',
  'usage.daily',
  'usage.multi_day',
] as const;

/** The windows that apply today. */
function windowsOf(today: CivilDay, rules: UsageRules): Window[] {
  const { vacation, billingCycle, daily, multiDay } = rules;
  if (vacation && today >= vacation.from && today <= vacation.to) {
    const { from, to } = vacation;
    return [{ code: 'usage.vacation', from, to, amount: vacation }];
  }
  const windows: Window[] = [];
  if (billingCycle) {
    const from = cycleStart(today, billingCycle.day);
    const to = cycleStart(from + 31, billingCycle.day) - 1;
    windows.push({ code: 'usage.billing_cycle', from, to, amount: billingCycle });
  }
  if (daily) windows.push({ code: 'usage.daily', from: today, to: today, amount: daily });
  if (multiDay) {
    const from = today - Math.min(multiDay.days ?? MULTI_DAYS, WINDOW_DAYS_MAX) + 1;
    windows.push({ code: 'usage.multi_day', from, to: today, amount: multiDay });
  }
  return windows;
}

/** Counts from civil day `from` to now. */
function useSince({ today, use, past }: Usage, from: CivilDay): Counts {
  let sum = use;
  for (let back = 0; back < Math.min(past.length, (today ?? 0) - from); back++) {
    sum += past[back] as number;
  }
  return sum;
}

/** Counts of so many days, the newest of them `back` days before yesterday. */
function useOfDays({ past }: Usage, back: number, days: number): Counts {
  return past.slice(back, back + days).reduce((sum, counts) => sum + counts, 0);
}

/** `changed`: by rules that have changed; windows that were over before that day raise nothing. */
function judge(usage: Usage, at: EpochMs, rules: UsageRules, changed?: CivilDay): UsageOutcome {
  if (usage.today === null) return { usage, events: [] };
  const work = new Work(usage, at, changed);
  const windows = windowsOf(usage.today, rules);
  for (const code of WINDOW_CODES) {
    const window = windows.find((one) => one.code === code);
    if (window) work.window(window, thresholdOf(window.amount, rules.dial));
    else work.clear(code, { outcome: outcomeOf(code, usage.today, windows, rules) });
  }
  work.noUse(rules.noUseDays);
  work.inactive(rules.service);
  return { usage: work.usage, events: work.events };
}

/** Why an alert that has no window today is over. */
function outcomeOf(
  code: UsageCode,
  today: CivilDay,
  windows: readonly Window[],
  { vacation }: UsageRules,
): string {
  if (windows[0]?.code === 'usage.vacation') return 'vacation';
  const hasEnded = code === 'usage.vacation' && vacation !== undefined && today > vacation.to;
  return hasEnded ? 'the end of the window' : 'off';
}

/** Of all others the severity is info. */
const MAJOR: UsageCode = 'usage.inactive_service';

/** The judgement of one moment. */
class Work {
  usage: Usage;
  readonly events: UsageEvent[] = [];
  readonly #at: EpochMs;
  readonly #changed: CivilDay | undefined;

  constructor(usage: Usage, at: EpochMs, changed: CivilDay | undefined) {
    this.usage = usage;
    this.#at = at;
    this.#changed = changed;
  }

  window({ code, from, to, amount }: Window, threshold: Threshold): void {
    const use = useSince(this.usage, from);
    const told = this.#toldSince(code, from, use);
    const { counts, rounded } = threshold;
    const data: Evidence = {
      ...{ use, threshold: counts, typed: amount.amount, typed_unit: amount.unit },
      ...{ rounded: rounded ? 'up to whole counts' : 'no', from: dateOf(from), to: dateOf(to) },
      clears: code === 'usage.multi_day' ? 'use below the threshold' : 'the end of the window',
    };
    if (this.usage.standing[code]) {
      if (this.#isOver(code, use < counts, counts, told)) this.clear(code, data);
      else if (this.#update(code, data)) this.#note(code, Math.max(use, told ?? 0));
    }
    if (this.usage.standing[code] || use < counts || counts <= (told ?? 0)) return;
    if (told !== null && this.usage.told[code]?.total === this.usage.total) return;
    if (this.#changed !== undefined && to < this.#changed) return;
    this.#raise(code, data);
    this.#note(code, use);
  }

  /** A dial that goes back does not unsay what was reached: the window's end does, or other settings. */
  #isOver(code: UsageCode, isBelow: boolean, counts: Counts, told: Counts | null): boolean {
    if (told === null && code !== 'usage.multi_day') return true;
    return isBelow && (this.#changed !== undefined || counts > (told ?? 0));
  }

  noUse(days: number | undefined): void {
    const code = 'usage.none';
    const { movedAt, told } = this.usage;
    const idleH = Math.floor(movedAt === null ? 0 : (this.#at - movedAt) / HOUR_MS);
    const limitH = (days ?? 0) * 24;
    const data = { idle_h: idleH, limit_h: limitH, clears: 'one count' };
    const before = told[code];
    if (before && idleH < before.use) this.#forget(code);
    if (days === undefined || idleH < limitH) return this.clear(code, data);
    if (this.usage.standing[code]) {
      this.#update(code, data);
    } else if (limitH > (this.usage.told[code]?.use ?? -1)) {
      this.#raise(code, data);
      this.#note(code, idleH);
    }
  }

  inactive(service: 'active' | 'inactive'): void {
    const code = 'usage.inactive_service';
    const { stray } = this.usage;
    const use = stray ?? 0;
    const data = { use, limit: STRAY_COUNTS, clears: 'the service becomes active' };
    if (service === 'active') {
      this.clear(code, data);
      if (stray !== null) this.usage = { ...this.usage, stray: null };
    } else if (this.usage.standing[code]) {
      this.#update(code, data);
    } else if (use >= STRAY_COUNTS) {
      this.#raise(code, data);
    }
  }

  clear(code: UsageCode, data: Evidence): void {
    const before = this.usage.standing[code];
    if (!before) return;
    this.#tell(code, 'clear', before, data);
    const { [code]: _, ...standing } = this.usage.standing;
    this.usage = { ...this.usage, standing };
  }

  /**
   * The use at which a window that begins on `from` was told; null where it was not. What has left a rolling window is
   * forgotten: with the day its oldest days, and no more than they held; with changed rules all that is not in it.
   */
  #toldSince(code: UsageCode, from: CivilDay, use: Counts): Counts | null {
    const told = this.usage.told[code];
    if (!told || told.day < from) return null;
    const today = this.usage.today ?? 0;
    const turned = told.turned ?? told.day;
    const isChanged = this.#changed !== undefined;
    if (code !== 'usage.multi_day' || (turned >= today && !isChanged)) return told.use;
    const gone = useOfDays(this.usage, today - from, today - turned);
    const left = Math.max(0, isChanged ? Math.min(use, told.use) : told.use - gone);
    this.#keep(code, { ...told, use: left, turned: today });
    return left;
  }

  #note(code: UsageCode, use: Counts): void {
    this.#keep(code, { day: this.usage.today ?? 0, use, total: this.usage.total });
  }

  #keep(code: UsageCode, told: Told): void {
    this.usage = { ...this.usage, told: { ...this.usage.told, [code]: told } };
  }

  #forget(code: UsageCode): void {
    const { [code]: _, ...told } = this.usage.told;
    this.usage = { ...this.usage, told };
  }

  #raise(code: UsageCode, data: Evidence): void {
    const alarm = this.usage.next;
    this.usage = { ...this.usage, next: alarm + 1 };
    const since = this.#at;
    this.#tell(code, 'raise', { alarm, messages: 0, since, told: 0 }, data);
  }

  /** At most once a civil day. True when it was told. */
  #update(code: UsageCode, data: Evidence): boolean {
    const before = this.usage.standing[code];
    if (!before || before.told >= (this.usage.today ?? 0)) return false;
    this.#tell(code, 'update', before, data);
    return true;
  }

  #tell(code: UsageCode, phase: Phase, one: Standing, data: Evidence): void {
    const { alarm, messages: message, since } = one;
    const severity: Severity = code === MAJOR ? 'major' : 'info';
    this.events.push({ alarm, message, code, severity, phase, at: this.#at, since, data });
    const stands = { alarm, messages: message + 1, since, told: this.usage.today ?? 0 };
    this.usage = { ...this.usage, standing: { ...this.usage.standing, [code]: stands } };
  }
}
