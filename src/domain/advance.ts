// The only place where water arithmetic happens: one observation in, the installation's new state and what it produced out.

import type { EventEntry, Evidence } from './alarms.ts';
import { endAlerts } from './alerts.ts';
import type { Entry, Flag, GapCause, Increment, Notice } from './entry.ts';
import {
  draftOfHour,
  type Edge,
  firstHour,
  HourFold,
  type HourRules,
  type HourState,
} from './hours.ts';
import {
  draftOf,
  type Held,
  type Installation,
  type InstallationDraft,
  type MeterRules,
  type Observation,
} from './installation.ts';
import {
  believed,
  CLOCK_EPOCH_MS,
  type ClockState,
  elapsedSince,
  firstClock,
  type Moment,
  restamped,
  stepSince,
  watchClock,
} from './moment.ts';
import { classify } from './register.ts';
import { LifeStep, restampedLife } from './register-life.ts';
import { futureFrom, hasFutureHours, restate, takenBackFrom } from './restate.ts';
import { type Counts, type EpochMs, HOUR_MS, isNearEdge } from './units.ts';

export {
  type Installation,
  type MeterRules,
  newInstallation,
  type Observation,
} from './installation.ts';

export interface Advance {
  readonly state: Installation;
  readonly increments: readonly Increment[];
  readonly entries: readonly Entry[];
  readonly events: readonly EventEntry[];
  readonly notices: readonly Notice[];
}

/** What was told of an installation and may have to be taken back (I10). */
export interface Told {
  readonly entries: readonly Entry[];
  /** Hours that begin before it are not held any more: they stay as they were told. */
  readonly held: EpochMs;
}

export const NOTHING_TOLD: Told = { entries: [], held: 0 };

/**
 * The hours that `advance` must be given as told because they lie in the future of this observation's clock:
 * those that begin at or after the instant, and gaps that end at or after it. Null, nearly always: none.
 */
export function futureHours(
  state: Installation,
  moment: Moment,
  rules: HourRules,
  held: EpochMs,
): EpochMs | null {
  const { hours, clock } = state;
  const { toleranceMs } = rules;
  const from = takenBackFrom(moment.at, held);
  if (!hours || !clock || !hasFutureHours(hours, from, toleranceMs)) return null;
  const believed = watchClock(clock, moment, toleranceMs).heldSince === null;
  return believed ? futureFrom(from, toleranceMs) : null;
}

/** Takes in one observation. Pure: the same arguments give the same outcome. */
export function advance(
  state: Installation,
  seen: Observation,
  rules: MeterRules,
  told: Told = NOTHING_TOLD,
): Advance {
  return restQuietly(state, seen, rules) ?? advanceInFull(state, seen, rules, told);
}

/** As `advance`, without the short way for a dial at rest. */
export function advanceInFull(
  state: Installation,
  seen: Observation,
  rules: MeterRules,
  told: Told = NOTHING_TOLD,
): Advance {
  const step = new Step(state, seen.moment, rules);
  step.live((life) => life.take(seen));
  step.placeHeld(told, seen.kind === 'silence' ? seen.why : 'bus');
  if (seen.kind === 'silence') step.mark(seen.flags);
  return step.outcome();
}

/** What a person says of a meter. `vouch` and `reject` judge a doubted reading, `read` is a dial read by a person (`H`). */
export type Word =
  | { readonly kind: 'vouch' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'read'; readonly register: Counts; readonly by: string | null }
  | { readonly kind: 'disable' | 'enable' | 'maintain' | 'resume' };

/** Takes in what a person says at `moment`. Vouching where nothing is doubted changes nothing. */
export function heed(
  state: Installation,
  word: Word,
  moment: Moment,
  rules: MeterRules,
  told: Told = NOTHING_TOLD,
): Advance {
  const step = new Step(state, moment, rules);
  step.heed(word, told);
  step.placeHeld(told, 'bus');
  return step.outcome();
}

/**
 * Ends an installation at its newest reading; its last hour is `P` with `flags` (I9). `told` is the evidence of a
 * change-out, which is told as an event.
 */
export function finish(
  state: Installation,
  flags: readonly Flag[],
  rules: MeterRules,
  told: Evidence | null = null,
): Advance {
  const begun = state.hours !== null || state.held.length > 0 || told !== null;
  if (!begun || !state.clock)
    return { state, increments: [], entries: [], events: [], notices: [] };
  const step = new Step(state, { ...state.clock, synced: true }, rules, 'as it stands');
  if (told) step.live((life) => life.tellChangeOut(told));
  step.endAlerts(flags[0] ?? 'config');
  step.placeHeld(null, 'clock');
  return step.finish(flags);
}

/**
 * The short way for most polls: within the open hour a dial shows what it showed, and nothing is doubted, told or due.
 * Then only its newest reading moves on. Null where anything else may follow.
 */
function restQuietly(state: Installation, seen: Observation, rules: MeterRules): Advance | null {
  const { last, hours, clock, moved } = state;
  if (seen.kind !== 'reading' || !last || seen.register !== last.read) return null;
  if (!hours || hours.gap || !clock || !moved || !isAtEase(state)) return null;
  const { moment } = seen;
  const now = watchClock(clock, moment, rules.toleranceMs);
  const { at } = moment;
  const isWithin = at >= hours.start && at < hours.start + HOUR_MS && at >= last.at;
  const isSteady = Math.abs(stepSince(clock, moment)) <= rules.toleranceMs;
  // What an hour ends with wants a second reading where no check sum vouches for it.
  if (!seen.checked && isNearEdge(at, rules.toleranceMs)) return null;
  if (now.heldSince !== null || clock.heldSince !== null || !isWithin || !isSteady) return null;
  if (at - moved.at >= rules.stuckMs) return null;
  const elapsedMs = elapsedSince(last.clock, moment);
  const movement = classify(last.read, seen.register, elapsedMs, rules);
  if (movement.kind !== 'none' || movement.ambiguous) return null;
  const { read, total } = last;
  const seq = last.seq + 1;
  const open = draftOfHour(hours);
  open.last = { seq, at, read, total };
  open.n = hours.n + 1;
  const after = draftOf(state);
  after.clock = now;
  after.last = { seq, at, read, total, clock: now };
  after.hours = open;
  const { increments, entries, events, notices } = NOTHING_CAME;
  return { state: after, increments, entries, events, notices };
}

/** Nothing is doubted, told, held or out of the ordinary. */
function isAtEase(state: Installation): boolean {
  const { unconfirmed, suspect, stranger, turnedAt, reversedAt, held, alarms } = state;
  if (unconfirmed || suspect || stranger || turnedAt !== null || reversedAt !== null) return false;
  if (state.rocked + state.silences + state.unreadables > 0 || held.length > 0) return false;
  if (state.disabled || state.maintenance) return false;
  for (const _ in alarms.standing) return false;
  return true;
}

const NOTHING_CAME = { increments: [], entries: [], events: [], notices: [] } as const;

const NOTHING_HELD: readonly Held[] = [];

/**
 * Readings held while a clock is put right: a day of quarters of an hour. Of more the oldest but the first is let go, and
 * what passed about it becomes part of a gap.
 */
const HELD_MAX = 96;

function heldWithin(held: readonly Held[]): readonly Held[] {
  const over = held.length - HELD_MAX;
  const [first, ...later] = held;
  if (over <= 0 || !first) return held;
  const gone = later.slice(0, over).flatMap(({ flags }) => flags);
  const [next, ...rest] = later.slice(over);
  return next ? [first, { ...next, flags: [...gone, ...next.flags] }, ...rest] : [first];
}

/** A reading that has found its time. */
interface Placed {
  readonly edge: Edge;
  readonly flags: readonly Flag[];
  readonly byPerson: boolean;
}

/** One observation on its way through the register's life, the clock and the hours. */
class Step {
  /** Its own copy, changed in place: one observation changes many fields. */
  readonly #state: InstallationDraft;
  readonly #moment: Moment;
  readonly #rules: MeterRules;
  readonly #clock: ClockState;
  /** Stands while this observation closes hours, even if its own reading refutes the suspicion. */
  readonly #before: Installation;
  readonly #increments: Increment[] = [];
  readonly #notices: Notice[] = [];
  readonly #entries: Entry[] = [];
  readonly #events: EventEntry[] = [];

  constructor(state: Installation, moment: Moment, rules: MeterRules, time?: 'as it stands') {
    this.#rules = rules;
    const before = state.clock ?? firstClock(moment);
    this.#clock = time ? believed(before) : watchClock(before, moment, rules.toleranceMs);
    const isLost = this.#clock.known !== undefined;
    this.#moment = isLost ? { ...moment, at: this.#clock.at } : moment;
    // A clock that goes on being lost steps no further.
    const stepped = isLost && before.known !== undefined ? 0 : stepSince(before, moment);
    this.#before = state;
    this.#state = draftOf(state);
    this.#state.clock = this.#clock;
    if (Math.abs(stepped) <= rules.toleranceMs) return;
    this.#notice('clock.step', { step_ms: stepped });
    Object.assign(
      this.#state,
      restampedLife(state, (at) => restamped(at, before, this.#moment)),
    );
  }

  outcome(): Advance {
    return {
      state: this.#state,
      increments: this.#increments,
      entries: this.#entries,
      events: this.#events,
      notices: this.#notices,
    };
  }

  /** The register's part: independent of the wall clock. */
  live(act: (life: LifeStep) => void): void {
    const step = new LifeStep(this.#state, this.#state.inst, this.#clock, this.#rules);
    act(step);
    step.end();
    const { held } = step;
    if (held.length > 0) this.#state.held = heldWithin([...this.#state.held, ...held]);
    this.#increments.push(...step.increments);
    this.#notices.push(...step.notices);
    this.#events.push(...step.events);
  }

  /** Leaks of this meter are over with it. */
  endAlerts(outcome: string): void {
    const { alarms, inst } = this.#state;
    const told = endAlerts(alarms, inst, this.#moment.at, outcome);
    this.#state.alarms = told.alarms;
    this.#events.push(...told.events);
  }

  heed(word: Word, told: Told): void {
    const { suspect } = this.#state;
    switch (word.kind) {
      case 'vouch':
        if (suspect) this.live((life) => life.vouch(suspect.read));
        break;
      case 'reject':
        this.live((life) => life.reject());
        break;
      case 'read':
        this.#notice('read.by_person', { read: word.register, by: word.by ?? 'unnamed' });
        this.live((life) => life.vouch(word.register, 'byPerson'));
        break;
      case 'disable':
      case 'enable':
        this.#setDisabled(word.kind === 'disable', told);
        break;
      case 'maintain':
      case 'resume':
        this.#state.maintenance = word.kind === 'maintain';
        break;
    }
  }

  /**
   * Places what waited, and this reading, once the wall clock is believed; closes what can be closed. `told`
   * null: hours in the future stay as they were told, for without them nobody knows what to take back.
   */
  placeHeld(told: Told | null, why: GapCause): void {
    const { hours } = this.#state;
    if (this.#clock.heldSince !== null) return;
    const cause = this.#state.held.some(({ isLost }) => isLost) ? 'clock' : why;
    const placed = this.#placed(told === null);
    const first = hours ?? this.#firstHours(placed[0]?.edge);
    // Where no time was ever known there are no hours.
    if (!first || first.start < CLOCK_EPOCH_MS) return;
    // It may have been stamped by a clock in 1970.
    const begun = placed[0]?.edge;
    if (!hours && begun && begun.seq === this.#state.initial?.seq) this.#state.initial = begun;
    const fold = this.#fold(first);
    if (told) this.#restateFuture(fold, told);
    for (const { edge, flags, byPerson } of placed) {
      if (edge.seq > fold.state.last.seq) fold.place(edge, flags, cause, byPerson);
    }
    fold.passTime(this.#passable(), cause);
    this.#state.hours = fold.state;
    this.#state.held = NOTHING_HELD;
    this.#entries.push(...fold.entries);
  }

  /**
   * What waited, in its order and its time. Of readings that have none the next one tells what passed, for registers are
   * absolute; only the very first of an installation has to stand somewhere, and stands where this boot began. At the end
   * of an installation no next one comes: then all are placed.
   */
  #placed(isEnd: boolean): Placed[] {
    const { hours, held } = this.#state;
    const placed: Placed[] = [];
    let untold: readonly Flag[] = [];
    for (const [i, one] of held.entries()) {
      const isTimeless = !isEnd && one.isLost === true && one.boot !== this.#clock.boot;
      if (isTimeless && (hours || i > 0)) untold = [...untold, ...one.flags];
      else {
        const edge = this.#placeInTime(one);
        const flags = [...untold, ...one.flags];
        placed.push({ edge, flags, byPerson: one.byPerson === true });
        untold = [];
      }
    }
    return placed;
  }

  mark(flags: readonly Flag[]): void {
    const { hours } = this.#state;
    if (!hours || flags.length === 0) return;
    const fold = this.#fold(hours);
    fold.mark(flags);
    this.#state.hours = fold.state;
  }

  finish(flags: readonly Flag[]): Advance {
    const { hours } = this.#state;
    if (!hours) return this.outcome();
    const fold = this.#fold(hours);
    const { last } = this.#state;
    // A reading whose time nobody knows was left to the next one, which does not come: what passed has passed by now.
    if (last && last.seq > hours.last.seq) {
      const { seq, read, total } = last;
      fold.place({ seq, at: Math.max(hours.last.at, this.#clock.at), read, total }, [], 'clock');
    }
    fold.finish(flags);
    this.#entries.push(...fold.entries);
    this.#state.hours = fold.state;
    return this.outcome();
  }

  #fold(hours: HourState): HourFold {
    const { inst, disabled, maintenance } = this.#state;
    const { suspect } = this.#before;
    return new HourFold(hours, inst, this.#rules, { suspect, disabled, maintenance });
  }

  /** A reading that waits for its second must not find its hour closed; it waits one poll at most. */
  #passable(): EpochMs {
    const { unconfirmed } = this.#state;
    const { at } = this.#moment;
    if (!unconfirmed || at - unconfirmed.clock.at > this.#rules.pollMs) return at;
    return Math.min(at, unconfirmed.clock.at);
  }

  /** Hours that end while it is disabled are not told; what passed meanwhile becomes one gap. */
  #setDisabled(disabled: boolean, told: Told): void {
    if (this.#state.disabled === disabled) return;
    this.placeHeld(told, this.#state.disabled ? 'disabled' : 'bus');
    this.#state.disabled = disabled;
    this.#state.unconfirmed = null;
  }

  #firstHours(edge: Edge | undefined): HourState | null {
    return edge ? firstHour(edge, this.#state.birth) : null;
  }

  #restateFuture(fold: HourFold, { entries: published, held }: Told): void {
    const now = takenBackFrom(this.#moment.at, held);
    const { toleranceMs } = this.#rules;
    if (!hasFutureHours(fold.state, now, toleranceMs)) return;
    const start = futureFrom(now, toleranceMs);
    const { state, entries } = restate(fold.state, published, now, start);
    fold.replace(state, entries);
    this.#notice('clock.restated', { hours: entries.length });
  }

  /** The wall time of a held reading: by the steady clock of this boot, else as it was stamped. */
  #placeInTime(held: Held): Edge {
    const { boot, mono, seq, read, total, isLost } = held;
    const clock = this.#clock;
    if (boot === clock.boot) return { seq, at: clock.at - (clock.mono - mono), read, total };
    const at = isLost ? clock.at - clock.mono : Math.min(held.at, clock.at);
    return { seq, at, read, total };
  }

  #notice(code: Notice['code'], evidence: Notice['evidence']): void {
    this.#notices.push({ code, at: this.#moment.at, evidence });
  }
}
