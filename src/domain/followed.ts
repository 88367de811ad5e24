// One place followed reading by reading: its register, its hours, its leaks and its usage alerts together.

import {
  type Advance,
  advance,
  type Installation,
  type MeterRules,
  newInstallation,
} from './advance.ts';
import type { Edge } from './hours.ts';
import {
  applyMakers,
  type MakersEvent,
  type MakersRule,
  type MakersState,
  NO_MAKERS,
} from './leaks/makers.ts';
import { beginWatch, type LeakEvent, type Watch, type WatchStep, watch } from './leaks/watch.ts';
import { elapsedSince, type Moment } from './moment.ts';
import { LifeStep } from './register-life.ts';
import { type Counts, type EpochMs, HOUR_MS } from './units.ts';
import {
  changeDial,
  consume,
  NO_USAGE,
  type Usage,
  type UsageEvent,
  type UsageRules,
} from './usage/usage.ts';

export interface Followed {
  readonly installation: Installation;
  readonly watch: Watch;
  readonly usage: Usage;
  readonly makers: MakersState;
}

export interface FollowRules {
  readonly meter: MeterRules;
  /** Absent: no usage alerts. */
  readonly usage?: UsageRules;
  readonly makers: readonly MakersRule[];
  /** Hours and gaps are wanted too. */
  readonly hours: boolean;
}

export interface Following {
  readonly state: Followed;
  readonly entries: Advance['entries'];
  readonly events: Advance['events'];
  readonly leaks: readonly LeakEvent[];
  readonly usage: readonly UsageEvent[];
  readonly makers: readonly MakersEvent[];
}

/** A place where a meter begins. */
export function follow(inst: number): Followed {
  const installation = newInstallation(inst);
  return { installation, watch: beginWatch(), usage: NO_USAGE, makers: NO_MAKERS };
}

/** Another meter stands there: the watch begins anew, what the place has used stays known. */
export function followNext(state: Followed, from: FollowRules, to: FollowRules): Followed {
  const next = follow(state.installation.inst + 1);
  return { ...next, usage: changeDial(state.usage, from.meter.dial, to.meter.dial) };
}

/** A collector that says it was off for longer has a clock that may be wrong: nothing is learned of such a time. */
export const AWAY_MAX_MS = 2 * 24 * HOUR_MS;

/** What is needed of an installation before a reading to tell what the reading moved. */
export type Past = Pick<Installation, 'last' | 'suspect'>;

/**
 * What an accepted reading moved, or null where `after` accepted none. A reading that a person or its own patience
 * confirmed against the flow limit, or whose distance no clock can tell, is broken off from the past.
 */
export function stepBetween(before: Past, after: Installation): WatchStep | null {
  const { last } = after;
  if (!last || last === before.last || last.seq === before.last?.seq) return null;
  if (!before.last) return null;
  const { clock } = last;
  const past = before.last.clock;
  const { boot, at, mono } = clock;
  const elapsedMs = elapsedSince(past, { boot, at, mono, synced: null });
  const counts = last.total - before.last.total;
  const steady = clock.boot === past.boot || (clock.at > past.at && elapsedMs <= AWAY_MAX_MS);
  return { at, elapsedMs, counts, broken: !steady || before.suspect !== null };
}

/** The register's life, and its hours where they are wanted: without them a reading costs a third. */
function live(
  before: Installation,
  moment: Moment,
  register: Counts,
  rules: FollowRules,
): Pick<Advance, 'state' | 'entries' | 'events'> {
  const seen = { kind: 'reading', moment, register, checked: true, identified: false } as const;
  if (rules.hours) return advance(before, seen, rules.meter);
  const { boot, at, mono } = moment;
  if (restsQuietly(before, register, at, rules.meter)) {
    const { seq, read, total } = before.last as Edge;
    const clock = { boot, at, mono, ...BELIEVED };
    // The longest part of a file is meters that stand still.
    Object.assign(before, { last: { seq: seq + 1, at, read, total, clock } });
    return { state: before, entries: [], events: [] };
  }
  // In place: a copy of all that a register remembers would cost more than all the rest.
  const clock = { boot, at, mono, ...BELIEVED };
  const step = new LifeStep(before, before.inst, clock, rules.meter);
  step.take(seen);
  step.end();
  return { state: before, entries: [], events: step.events };
}

/** Whether nothing is told, doubted or due of a register that shows what it showed: then its newest reading is all that changes. */
function restsQuietly(
  state: Installation,
  register: Counts,
  at: EpochMs,
  { stuckMs }: MeterRules,
): boolean {
  const { last, moved, suspect, unconfirmed, reversedAt, turnedAt } = state;
  if (last?.read !== register || !moved || at - moved.at >= stuckMs) return false;
  if (suspect || unconfirmed || reversedAt !== null || turnedAt !== null) return false;
  if (state.rocked + state.silences + state.unreadables > 0 || state.stranger) return false;
  return Object.keys(state.alarms.standing).length === 0;
}

const BELIEVED = { heldSince: null, waitedOut: false };

/** Takes one reading in. The state handed in must not be used again: the watch, and without hours the register, are changed in place. */
export function followReading(
  state: Followed,
  moment: Moment,
  register: Counts,
  rules: FollowRules,
): Following {
  const { last, suspect } = state.installation;
  const lived = live(state.installation, moment, register, rules);
  const { entries, events } = lived;
  const step = stepBetween({ last, suspect }, lived.state);
  if (!step) {
    const same = { ...state, installation: lived.state };
    return { state: same, entries, events, leaks: [], usage: [], makers: [] };
  }
  const leaks = watch(state.watch, step, rules.meter);
  const used = rules.usage ? consume(state.usage, step, rules.usage) : { usage: state.usage };
  const made =
    rules.makers.length === 0
      ? { state: state.makers, events: [] }
      : applyMakers(state.makers, step, rules.meter.pollMs);
  return {
    state: {
      installation: lived.state,
      watch: leaks.state,
      usage: used.usage,
      makers: made.state,
    },
    entries,
    events,
    leaks: leaks.events,
    usage: 'events' in used ? used.events : [],
    makers: made.events.filter(({ rule }) => rules.makers.includes(rule)),
  };
}
