// The life of a register: what one more reading, or its absence, makes of it. Independent of hours and of the wall clock's whims.

import { AlarmBook, type EventEntry, type Evidence } from './alarms.ts';
import type { Flag, Increment, Notice } from './entry.ts';
import type { Edge } from './hours.ts';
import type { Doubted, Held, MeterRules, Observation, RegisterLife } from './installation.ts';
import {
  ABSENCE_MAX_MS,
  type ClockState,
  elapsedSince,
  hasLostTime,
  isOfThisBoot,
  type Moment,
} from './moment.ts';
import { classify, type Movement } from './register.ts';
import { type Counts, capacity, type EpochMs, HOUR_MS, isNearEdge } from './units.ts';

/** Readings below the last, in a row, that make jitter reverse flow. */
const ROCKS_TO_REVERSE = 3;
/** Reverse flow beyond so many counts is major (as encoders tell backflow on their last digit). */
const MAJOR_REVERSE_COUNTS = 100;
/** Reverse flow is over when there was none for so long. */
const REVERSE_OVER_MS = 24 * HOUR_MS;
/** Polls in a row that make a silent or unreadable meter worth telling: one bad answer is no news. */
const POLLS_TO_TELL = 3;
/** Answers of another encoder in a row that make a swap worth suspecting. */
const STRANGERS_TO_SUSPECT = 2;
/** Turns that own and other encoder have taken when two meters must be answering one address. */
const TURNS_TO_CONFLICT = 4;
/** One encoder alone for so long ends the suspicion. */
const CONFLICT_OVER_MS = 24 * HOUR_MS;
/**
 * A jump is confirmed without a person only by an encoder that names itself, that shows it in every one of so many
 * readings, for so long. A swapped meter names itself otherwise, so no swap becomes water.
 */
const CONFIRM_READS = 24;
const CONFIRM_MS = 24 * HOUR_MS;
/** A dial is stuck when it stands still for so many times its longest rest so far, and longer than the rule says. */
const STUCK_RESTS = 3;

/** Since when a register does what it does, by a wall clock that has stepped: else what time tells would wait for a time that was wrong. */
export function restampedLife(
  { moved, reversedAt, turnedAt, suspect }: RegisterLife,
  restamp: (at: EpochMs) => EpochMs,
): Pick<RegisterLife, 'moved' | 'reversedAt' | 'turnedAt' | 'suspect'> {
  return {
    moved: moved && { ...moved, at: restamp(moved.at) },
    reversedAt: reversedAt === null ? null : restamp(reversedAt),
    turnedAt: turnedAt === null ? null : restamp(turnedAt),
    suspect: suspect && { ...suspect, at: restamp(suspect.at), since: restamp(suspect.since) },
  };
}

/** A caller's own copy of a register's life. */
type LifeDraft = { -readonly [K in keyof RegisterLife]: RegisterLife[K] };

type Accepted = Exclude<Movement, { kind: 'jitter' | 'implausible' }>;

/** How a reading came to be accepted. */
interface Acceptance {
  /** What became of the doubt that may have stood. */
  readonly outcome?: 'refused' | 'confirmed';
  readonly by?: 'byPerson' | undefined;
}

/** The register's part of one observation. */
export class LifeStep {
  readonly increments: Increment[] = [];
  readonly notices: Notice[] = [];
  readonly held: Held[] = [];
  readonly #life: LifeDraft;
  readonly #inst: number;
  readonly #rules: MeterRules;
  /** The clock as it stands at this observation. */
  readonly #clock: ClockState;
  readonly #alarms: AlarmBook;

  /** `life` is changed in place: one reading changes many fields. It is whole again after `end`. */
  constructor(life: LifeDraft, inst: number, clock: ClockState, rules: MeterRules) {
    this.#life = life;
    this.#inst = inst;
    this.#rules = rules;
    this.#clock = clock;
    this.#alarms = new AlarmBook(life.alarms, inst);
  }

  end(): void {
    this.#life.alarms = this.#alarms.state;
  }

  get events(): readonly EventEntry[] {
    return this.#alarms.entries;
  }

  take(seen: Observation): void {
    if (seen.kind === 'reading') {
      this.#answered();
      if (seen.checked) this.#judge(seen.register, this.#clock, seen.identified);
      else this.#second(seen.register, seen.identified);
    } else if (seen.fault !== null) {
      this.#unanswered(seen);
    }
    this.#watch();
  }

  /**
   * A person vouches for the dial: what the flow limit cannot explain went the shorter way round. A dial that ran back, or
   * from which a wrong digit was believed before, did not turn all the way.
   */
  vouch(register: Counts, by?: 'byPerson'): void {
    const { last } = this.#life;
    const elapsedMs = last ? elapsedSince(last.clock, this.#moment()) : 0;
    const movement = last ? classify(last.read, register, elapsedMs, this.#rules) : NOTHING;
    const rollover = register < (last?.read ?? 0);
    this.#accept(register, this.#vouched(movement, rollover), this.#clock, {
      outcome: 'confirmed',
      by,
    });
  }

  #vouched(movement: Movement, rollover: boolean): Accepted {
    if (movement.kind === 'implausible') return this.#shorterWay(movement.forward, rollover);
    if (movement.kind !== 'jitter') return movement;
    return { kind: 'reverse', counts: movement.counts, rollover: !rollover };
  }

  #shorterWay(forward: Counts, rollover: boolean): Accepted {
    const back = capacity(this.#rules.dial) - forward;
    return back < forward
      ? { kind: 'reverse', counts: -back, rollover: !rollover }
      : { kind: 'forward', counts: forward, rollover, ambiguous: false };
  }

  /** A person says that the doubted reading is wrong. */
  reject(): void {
    this.#set({ suspect: null });
    this.#alarms.clear('read.implausible', this.#clock.at, { outcome: 'rejected' });
  }

  /** Tells of the end of this installation. */
  tellChangeOut(data: Evidence): void {
    this.#alarms.note('meter.changeout', 'info', this.#clock.at, data);
  }

  /**
   * Without a check sum a changed reading needs a second that is the same, or one before and one after it between which
   * it lies: a dial that moves has shown it then, and a digit too low that a flipped bit left has not both. An unchanged
   * one confirms itself, but for those that an hour ends with: of a dial that moved a flipped bit can make the last one.
   */
  #second(register: Counts, identified: boolean): void {
    const { unconfirmed, last } = this.#life;
    const first = unconfirmed;
    this.#life.unconfirmed = null;
    const isFirstAtEdge = !first && isNearEdge(this.#clock.at, this.#rules.toleranceMs);
    if (last && register === last.read && !isFirstAtEdge && first?.read !== register) {
      if (first) this.#doubt(first.read, register);
      return this.#judge(register, this.#clock, identified);
    }
    if (!first) {
      this.#life.unconfirmed = this.#doubted(register);
      return;
    }
    const elapsedMs = elapsedSince(first.clock, this.#moment());
    const between = classify(first.read, register, elapsedMs, this.#rules);
    // After more than a poll the hours have gone on without it.
    if (elapsedMs > this.#rules.pollMs) {
      this.#doubt(first.read, register);
      return this.#set({ unconfirmed: this.#doubted(register) });
    }
    if (between.kind === 'none') {
      this.#judge(first.read, first.clock, identified);
      return this.#judge(register, this.#clock, identified);
    }
    if (between.kind === 'forward') {
      // Far apart nearly everything lies between two readings.
      const fits = elapsedMs <= this.#rules.toleranceMs;
      if (!fits || first.after === undefined) {
        const after = fits ? { after: first.read } : {};
        return this.#set({ unconfirmed: { ...this.#doubted(register), ...after } });
      }
      // What exceeds it is confirmed by the next reading, not by the one before.
      return this.#judge(first.read, first.clock, identified);
    }
    this.#doubt(first.read, register);
    this.#set({ unconfirmed: this.#doubted(register) });
  }

  #doubted(read: Counts): Doubted {
    return { read, clock: this.#clock };
  }

  #doubt(first: Counts, second: Counts): void {
    this.#notice('read.unconfirmed', { read: first, second });
  }

  #judge(register: Counts, clock: ClockState, identified: boolean): void {
    const { last } = this.#life;
    if (!last) return this.#accept(register, NOTHING, clock);
    const elapsedMs = elapsedSince(last.clock, momentOf(clock));
    const movement = classify(last.read, register, elapsedMs, this.#rules);
    if (movement.kind === 'implausible') return this.#quarantine(register, movement, identified);
    if (movement.kind === 'jitter') return this.#rock(register, movement.counts, clock);
    return this.#accept(register, movement, clock);
  }

  #accept(
    register: Counts,
    movement: Accepted,
    clock: ClockState,
    { outcome = 'refused', by }: Acceptance = {},
  ): void {
    const life = this.#life;
    const { last, steps } = life;
    const edge: Edge = {
      seq: last ? last.seq + 1 : 0,
      at: clock.at,
      read: register,
      total: last ? last.total + movement.counts : 0,
    };
    const moved = !last || movement.counts !== 0;
    if (moved) {
      this.increments.push({
        inst: this.#inst,
        seq: steps,
        fromAt: last?.at ?? clock.at,
        fromRead: last?.read ?? register,
        toAt: clock.at,
        toRead: register,
        counts: movement.counts,
        kind: last ? (movement.counts < 0 ? 'reverse' : 'forward') : 'first',
      });
    }
    this.#hold(edge, movement, clock, by);
    this.#tell(movement, clock.at);
    life.initial ??= edge;
    const { seq, at, read, total } = edge;
    life.last = { seq, at, read, total, clock };
    if (moved) life.steps = steps + 1;
    life.rocked = 0;
    life.suspect = null;
    if (movement.counts !== 0) this.#moved(clock.at);
    this.#alarms.clear('read.implausible', clock.at, { outcome, read: register });
  }

  /** On its way into the hours. */
  #hold(edge: Edge, movement: Accepted, clock: ClockState, by: Acceptance['by']): void {
    const { seq, at, read, total } = edge;
    const { boot, mono } = clock;
    const held = { seq, at, read, total, boot, mono, flags: flagsOf(movement) };
    const isLost = hasLostTime(clock);
    const oddly = { ...(isLost && { isLost }), ...(by && { byPerson: true as const }) };
    this.held.push(isLost || by ? { ...held, ...oddly } : held);
  }

  #tell(movement: Accepted, at: EpochMs): void {
    const read = this.#life.last?.read ?? null;
    if (movement.kind === 'reverse') {
      const counts = -movement.counts;
      const total = this.#alarms.countsOf('flow.reverse') + counts;
      const severity = total > MAJOR_REVERSE_COUNTS ? 'major' : 'minor';
      const limit = {
        major_above: MAJOR_REVERSE_COUNTS,
        clears_after_h: REVERSE_OVER_MS / HOUR_MS,
      };
      this.#alarms.raise('flow.reverse', severity, at, at, { last: read, ...limit }, counts);
      this.#set({ reversedAt: at });
    }
    if (movement.kind === 'forward' && movement.rollover) {
      const { counts, ambiguous } = movement;
      const data = { last: read, counts, ambiguous: ambiguous ? 'yes' : 'no' };
      this.#alarms.note('meter.rollover', 'info', at, data);
    }
  }

  #moved(at: EpochMs): void {
    const { moved } = this.#life;
    const idleMs = moved && this.#isTimed(moved.at) ? Math.max(0, at - moved.at) : 0;
    const longestIdleMs = Math.max(moved?.longestIdleMs ?? 0, idleMs);
    this.#life.moved = { at, longestIdleMs };
    this.#alarms.clear('read.stuck', at, { idle_h: hours(idleMs) });
  }

  /** Whether anybody can tell how long ago that was: a wall clock of which a restart made nobody sure, or 1970, does not. */
  #isTimed(since: EpochMs): boolean {
    if (isOfThisBoot(since, this.#clock)) return true;
    return this.#clock.heldSince === null && this.#clock.at - since <= ABSENCE_MAX_MS;
  }

  /** A jump beyond the flow limit is not water until it is confirmed. */
  #quarantine(
    register: Counts,
    movement: Extract<Movement, { kind: 'implausible' }>,
    identified: boolean,
  ): void {
    const { suspect, last } = this.#life;
    const { at } = this.#clock;
    const same = suspect !== null && this.#follows(suspect, register);
    const times = same ? suspect.times + 1 : 1;
    const since = same ? suspect.since : at;
    if (identified && times >= CONFIRM_READS && at - since >= CONFIRM_MS) {
      return this.vouch(register);
    }
    this.#set({ suspect: { read: register, at, times, since } });
    const { forward, limit } = movement;
    this.#alarms.raise('read.implausible', 'major', at, at, {
      read: register,
      last: last?.read ?? null,
      forward,
      limit,
      clears: 'a plausible reading, or a person',
    });
  }

  /** Whether a doubted dial went on from where it was seen last. */
  #follows(suspect: { read: Counts; at: EpochMs }, register: Counts): boolean {
    const kind = classify(suspect.read, register, this.#clock.at - suspect.at, this.#rules).kind;
    return kind === 'none' || kind === 'forward';
  }

  #rock(register: Counts, counts: Counts, clock: ClockState): void {
    const { rocked, last } = this.#life;
    if (rocked + 1 >= ROCKS_TO_REVERSE) {
      const rollover = register > (last?.read ?? 0);
      return this.#accept(register, { kind: 'reverse', counts, rollover }, clock);
    }
    this.#set({ rocked: rocked + 1 });
    return this.#notice('read.jitter', { read: register, last: last?.read ?? 0, counts });
  }

  /** The meter answered as itself. */
  #answered(): void {
    const { stranger, turns } = this.#life;
    const { at } = this.#clock;
    this.#alarms.clear('read.silent', at, {});
    this.#alarms.clear('read.unreadable', at, {});
    this.#life.silences = 0;
    this.#life.unreadables = 0;
    this.#life.stranger = null;
    if (stranger) this.#set({ turns: turns + 1, turnedAt: at });
    if (stranger) this.#conflict(stranger.id);
    else
      this.#alarms.clear('meter.swap_suspected', at, { outcome: 'the expected encoder answers' });
  }

  #unanswered(seen: Extract<Observation, { kind: 'silence' }>): void {
    const { at } = this.#clock;
    if (seen.fault === 'frame.unreadable') {
      const unreadables = this.#life.unreadables + 1;
      this.#set({ unreadables, silences: 0 });
      const data = { polls: unreadables, clears: 'one readable answer' };
      if (unreadables >= POLLS_TO_TELL)
        this.#alarms.raise('read.unreadable', 'minor', at, at, data);
      return;
    }
    if (seen.fault === 'frame.wrong_id') return this.#stranger(seen.stranger ?? 'none');
    const silences = this.#life.silences + 1;
    this.#set({ silences });
    const data = { polls: silences, fault: seen.fault, clears: 'one answer' };
    if (silences >= POLLS_TO_TELL) this.#alarms.raise('read.silent', 'minor', at, at, data);
  }

  /** Another encoder answers on this meter's address: nothing is counted, and a swap is suspected. */
  #stranger(id: string): void {
    const { stranger, turns } = this.#life;
    const times = stranger?.id === id ? stranger.times + 1 : 1;
    const { at } = this.#clock;
    this.#set({ stranger: { id, times }, silences: 0 });
    if (!stranger) this.#set({ turns: turns + 1, turnedAt: at });
    if (times < STRANGERS_TO_SUSPECT || this.#alarms.isStanding('meter.address_conflict')) return;
    const data = { id, clears: 'the expected encoder, or a change-out' };
    this.#alarms.raise('meter.swap_suspected', 'major', at, at, data);
  }

  /** Own and other encoder take turns: two meters answer one address. */
  #conflict(id: string): void {
    const { at } = this.#clock;
    if (this.#life.turns < TURNS_TO_CONFLICT) return;
    const data = { other_id: id, turns: this.#life.turns, clears: 'a day of one encoder alone' };
    this.#alarms.clear('meter.swap_suspected', at, { outcome: 'two encoders take turns' });
    this.#alarms.raise('meter.address_conflict', 'major', at, at, data);
  }

  /** What the mere passing of time tells. */
  #watch(): void {
    const { at } = this.#clock;
    const { moved, reversedAt, last, turnedAt } = this.#life;
    if (turnedAt !== null && at - turnedAt >= CONFLICT_OVER_MS) {
      this.#alarms.clear('meter.address_conflict', at, { outcome: 'one encoder answers' });
      this.#set({ turns: 0, turnedAt: null });
    }
    if (reversedAt !== null && at - reversedAt >= REVERSE_OVER_MS) {
      this.#alarms.clear('flow.reverse', at, {});
      this.#set({ reversedAt: null });
    }
    if (!moved || !last || (this.#clock.heldSince !== null && !this.#isTimed(moved.at))) return;
    const limitMs = Math.max(this.#rules.stuckMs, STUCK_RESTS * moved.longestIdleMs);
    // Only a dial that is read can be seen to stand still.
    const idleMs = last.at - moved.at;
    if (idleMs < limitMs) return;
    if (idleMs > ABSENCE_MAX_MS) {
      // The clock was in 1970 when it moved: how long it has rested nobody knows.
      this.#life.moved = { ...moved, at: last.at };
      return;
    }
    const data = { idle_h: hours(idleMs), limit_h: hours(limitMs), clears: 'one count' };
    this.#alarms.raise('read.stuck', 'minor', at, moved.at, data);
  }

  #moment(): Moment {
    return momentOf(this.#clock);
  }

  #set(part: Partial<RegisterLife>): void {
    Object.assign(this.#life, part);
  }

  #notice(code: Notice['code'], evidence: Notice['evidence']): void {
    this.notices.push({ code, at: this.#clock.at, evidence });
  }
}

const momentOf = ({ boot, at, mono }: ClockState): Moment => ({ boot, at, mono, synced: null });

const NOTHING: Accepted = { kind: 'none', counts: 0, ambiguous: false };

const hours = (ms: number) => Math.round(ms / HOUR_MS);

const NO_FLAGS: readonly Flag[] = [];

function flagsOf(movement: Movement): readonly Flag[] {
  if (movement.kind === 'none') return NO_FLAGS;
  const flags: Flag[] = [];
  if ('rollover' in movement && movement.rollover) flags.push('rollover');
  if ('ambiguous' in movement && movement.ambiguous) flags.push('rollover_ambiguous');
  if (movement.kind === 'reverse') flags.push('reverse');
  return flags;
}
