// The only place where water arithmetic happens: one observation in, the installation's new state and what it produced out.

import type { Entry, Flag, GapCause, Increment, Notice } from './entry.ts';
import {
  type Edge,
  firstHour,
  HourFold,
  type HourRules,
  type HourState,
  type Suspect,
} from './hours.ts';
import {
  type ClockState,
  elapsedSince,
  firstClock,
  type Moment,
  stepSince,
  watchClock,
} from './moment.ts';
import { classify, type Movement, type RegisterRules } from './register.ts';
import { futureFrom, hasFutureHours, restate } from './restate.ts';
import type { Counts, EpochMs } from './units.ts';

export type MeterRules = RegisterRules & HourRules;

/** What a poll brought: a register, or nothing (`why` says what kept it away). `flags` go to the open hour. */
export type Observation =
  | { readonly kind: 'reading'; readonly moment: Moment; readonly register: Counts }
  | {
      readonly kind: 'silence';
      readonly moment: Moment;
      readonly why: GapCause;
      readonly flags: readonly Flag[];
    };

interface Held extends Edge {
  readonly boot: string;
  readonly mono: number;
  readonly flags: readonly Flag[];
}

/** One installation: a meter of the given dial standing at a place. Plain JSON, everything that must survive a restart. */
export interface Installation {
  readonly inst: number;
  /** Flags of its first hour: `config` or `changeout` when it follows another installation. */
  readonly birth: readonly Flag[];
  /** First and newest accepted reading; null before the first. */
  readonly initial: Edge | null;
  readonly last: (Edge & { readonly clock: ClockState }) | null;
  /** Readings a little below the last in a row; at the third they are reverse flow. */
  readonly rocked: number;
  /** A reading that was not believed and has not been refused yet. */
  readonly suspect: Suspect | null;
  readonly clock: ClockState | null;
  /** Increments recorded so far. */
  readonly steps: number;
  readonly hours: HourState | null;
  /** Readings that wait for the wall clock to be believed (I10). */
  readonly held: readonly Held[];
}

export interface Advance {
  readonly state: Installation;
  readonly increments: readonly Increment[];
  readonly entries: readonly Entry[];
  readonly notices: readonly Notice[];
}

/** Readings below the last, in a row, that make jitter reverse flow. */
const ROCKS_TO_REVERSE = 3;

/** An installation that has not been read yet. */
export function newInstallation(inst: number, birth: readonly Flag[] = []): Installation {
  return {
    inst,
    birth,
    initial: null,
    last: null,
    rocked: 0,
    suspect: null,
    clock: null,
    steps: 0,
    hours: null,
    held: [],
  };
}

/**
 * The hours that `advance` must be given in `published` because they lie in the future of this observation's clock:
 * those that begin at or after the instant, and gaps that end after the moment. Null, nearly always: none.
 */
export function futureHours(state: Installation, moment: Moment, rules: HourRules): EpochMs | null {
  if (!state.hours || !state.clock) return null;
  if (watchClock(state.clock, moment, rules.toleranceMs).heldSince !== null) return null;
  const { toleranceMs } = rules;
  return hasFutureHours(state.hours, moment.at, toleranceMs)
    ? futureFrom(moment.at, toleranceMs)
    : null;
}

/** Takes in one observation. Pure: the same arguments give the same outcome. */
export function advance(
  state: Installation,
  seen: Observation,
  rules: MeterRules,
  published: readonly Entry[] = [],
): Advance {
  const step = new Step(state, seen.moment, rules);
  if (seen.kind === 'reading') step.read(seen.register);
  step.placeHeld(published, seen.kind === 'silence' ? seen.why : 'bus');
  if (seen.kind === 'silence') step.mark(seen.flags);
  return step.outcome();
}

/** Ends an installation at its newest reading; its last hour is `P` with `flags` (I9). */
export function finish(state: Installation, flags: readonly Flag[], rules: MeterRules): Advance {
  const begun = state.hours !== null || state.held.length > 0;
  if (!begun || !state.clock) return { state, increments: [], entries: [], notices: [] };
  const step = new Step(state, { ...state.clock, synced: true }, rules);
  step.placeHeld(null, 'clock');
  return step.finish(flags);
}

/** One observation on its way through the register, the clock and the hours. */
class Step {
  #state: Installation;
  readonly #moment: Moment;
  readonly #rules: MeterRules;
  /** Stands while this observation closes hours, even if its own reading refutes the suspicion. */
  readonly #suspect: Suspect | null;
  readonly #increments: Increment[] = [];
  readonly #notices: Notice[] = [];
  #entries: readonly Entry[] = [];

  constructor(state: Installation, moment: Moment, rules: MeterRules) {
    this.#moment = moment;
    this.#rules = rules;
    const before = state.clock ?? firstClock(moment);
    const clock = watchClock(before, moment, rules.toleranceMs);
    const stepped = stepSince(before, moment);
    this.#suspect = state.suspect;
    this.#state = { ...state, clock };
    if (Math.abs(stepped) > rules.toleranceMs) this.#notice('clock.step', { step_ms: stepped });
  }

  outcome(): Advance {
    return {
      state: this.#state,
      increments: this.#increments,
      entries: this.#entries,
      notices: this.#notices,
    };
  }

  /** Register arithmetic: independent of the wall clock. */
  read(register: Counts): void {
    const { last } = this.#state;
    if (!last) return this.#accept(register, { kind: 'none', counts: 0, ambiguous: false });
    const elapsedMs = elapsedSince(last.clock, this.#moment);
    const movement = classify(last.read, register, elapsedMs, this.#rules);
    if (movement.kind === 'implausible') return this.#refuse(register, movement);
    if (movement.kind === 'jitter') return this.#rock(register, movement.counts);
    return this.#accept(register, movement);
  }

  /**
   * Places what waited, and this reading, once the wall clock is believed; closes what can be closed. `published`
   * null: hours in the future stay as they were told, for without them nobody knows what to take back.
   */
  placeHeld(published: readonly Entry[] | null, why: GapCause): void {
    const { clock, hours, held, inst } = this.#state;
    if (!clock || clock.heldSince !== null) return;
    const placed = held.map((edge) => ({
      edge: this.#placeInTime(edge, clock),
      flags: edge.flags,
    }));
    const first = hours ?? this.#firstHours(placed[0]?.edge);
    if (!first) return;
    const fold = new HourFold(first, inst, this.#rules, this.#suspect);
    if (published) this.#restateFuture(fold, published);
    for (const { edge, flags } of placed) {
      if (edge.seq > fold.state.last.seq) fold.place(edge, flags, why);
    }
    fold.passTime(this.#moment.at, why);
    this.#state = { ...this.#state, hours: fold.state, held: [] };
    this.#entries = fold.entries;
  }

  mark(flags: readonly Flag[]): void {
    const { hours, inst } = this.#state;
    if (!hours || flags.length === 0) return;
    const fold = new HourFold(hours, inst, this.#rules, null);
    fold.mark(flags);
    this.#state = { ...this.#state, hours: fold.state };
  }

  finish(flags: readonly Flag[]): Advance {
    const { hours, inst } = this.#state;
    if (!hours) return this.outcome();
    const fold = new HourFold(hours, inst, this.#rules, null);
    fold.finish(flags);
    this.#entries = [...this.#entries, ...fold.entries];
    this.#state = { ...this.#state, hours: fold.state };
    return this.outcome();
  }

  #firstHours(edge: Edge | undefined): HourState | null {
    return edge ? firstHour(edge, this.#state.birth) : null;
  }

  #restateFuture(fold: HourFold, published: readonly Entry[]): void {
    const now = this.#moment.at;
    const { toleranceMs } = this.#rules;
    if (!hasFutureHours(fold.state, now, toleranceMs)) return;
    const start = futureFrom(now, toleranceMs);
    const { state, entries } = restate(fold.state, published, now, start);
    fold.replace(state, entries);
    this.#notice('clock.restated', { hours: entries.length });
  }

  /** The wall time of a held reading: by the steady clock of this boot, else as it was stamped. */
  #placeInTime(held: Held, clock: ClockState): Edge {
    const { boot, mono, flags: _, ...edge } = held;
    const at = boot === clock.boot ? clock.at - (clock.mono - mono) : Math.min(edge.at, clock.at);
    return { ...edge, at };
  }

  #accept(register: Counts, movement: Exclude<Movement, { kind: 'jitter' | 'implausible' }>): void {
    const { last, initial, clock, inst, held, steps } = this.#state;
    const { at, boot, mono } = this.#moment;
    if (!clock) return;
    const edge: Edge = {
      seq: last ? last.seq + 1 : 0,
      at,
      read: register,
      total: last ? last.total + movement.counts : 0,
    };
    const moved = !last || movement.counts !== 0;
    if (moved) {
      this.#increments.push({
        inst,
        seq: steps,
        fromAt: last?.at ?? at,
        fromRead: last?.read ?? register,
        toAt: at,
        toRead: register,
        counts: movement.counts,
        kind: last ? (movement.counts < 0 ? 'reverse' : 'forward') : 'first',
      });
    }
    this.#tell(movement);
    this.#state = {
      ...this.#state,
      initial: initial ?? edge,
      last: { ...edge, clock },
      steps: moved ? steps + 1 : steps,
      rocked: 0,
      suspect: null,
      held: [...held, { ...edge, boot, mono, flags: flagsOf(movement) }],
    };
  }

  #refuse(register: Counts, movement: Extract<Movement, { kind: 'implausible' }>): void {
    const { suspect, last } = this.#state;
    this.#state = { ...this.#state, suspect: { read: register, at: this.#moment.at } };
    if (suspect?.read === register) return; // Told when it was first seen.
    const { forward, limit } = movement;
    this.#notice('read.implausible', { read: register, last: last?.read ?? 0, forward, limit });
  }

  #rock(register: Counts, counts: Counts): void {
    const { rocked, last } = this.#state;
    if (rocked + 1 >= ROCKS_TO_REVERSE) {
      return this.#accept(register, {
        kind: 'reverse',
        counts,
        rollover: register > (last?.read ?? 0),
      });
    }
    this.#state = { ...this.#state, rocked: rocked + 1 };
    return this.#notice('read.jitter', { read: register, last: last?.read ?? 0, counts });
  }

  #tell(movement: Movement): void {
    if (movement.kind === 'reverse') this.#notice('flow.reverse', { counts: movement.counts });
    if (movement.kind === 'forward' && movement.rollover) {
      this.#notice('meter.rollover', { counts: movement.counts });
    }
  }

  #notice(code: Notice['code'], evidence: Notice['evidence']): void {
    this.#notices.push({ code, at: this.#moment.at, evidence });
  }
}

function flagsOf(movement: Movement): readonly Flag[] {
  const flags: Flag[] = [];
  if ('rollover' in movement && movement.rollover) flags.push('rollover');
  if ('ambiguous' in movement && movement.ambiguous) flags.push('rollover_ambiguous');
  if (movement.kind === 'reverse') flags.push('reverse');
  return flags;
}
