// One meter at one place: what it can do, what may be seen of it, and everything about it that must survive a restart.

import { type AlarmState, NO_ALARMS } from './alarms.ts';
import type { Flag, GapCause } from './entry.ts';
import type { FaultCode } from './fault.ts';
import type { Edge, HourRules, HourState, Suspect } from './hours.ts';
import type { ClockState, Moment } from './moment.ts';
import type { RegisterRules } from './register.ts';
import type { Counts, EpochMs } from './units.ts';

export interface MeterRules extends RegisterRules, HourRules {
  /** Without a count for so long a dial that used to move is stuck, in milliseconds. */
  readonly stuckMs: number;
}

/**
 * What a poll brought. A reading is `checked` when its protocol has a check sum, `identified` when the encoder named
 * itself as expected. Silence says what kept the reading away (`fault`, null for the mere passing of time), the cause
 * of a gap (`why`), flags for the open hour, and, where another encoder answered, its identification (`stranger`).
 */
export type Observation =
  | {
      readonly kind: 'reading';
      readonly moment: Moment;
      readonly register: Counts;
      readonly checked: boolean;
      readonly identified: boolean;
    }
  | {
      readonly kind: 'silence';
      readonly moment: Moment;
      readonly why: GapCause;
      readonly flags: readonly Flag[];
      readonly fault: FaultCode | null;
      readonly stranger: string | null;
    };

/** A reading on its way into the hours, with the instant on the steady clock by which it can be placed anew. */
export interface Held extends Edge {
  readonly boot: string;
  readonly mono: number;
  readonly flags: readonly Flag[];
  /** Read while the wall clock had lost the time: once its boot is over nobody can tell when. */
  readonly isLost?: true;
  readonly byPerson?: true;
}

/** A reading that is not believed yet, and when it was made. */
export interface Doubted {
  readonly read: Counts;
  readonly clock: ClockState;
  readonly after?: Counts;
}

/** The life of the register: what was accepted, what is doubted, what is told of it. */
export interface RegisterLife {
  /** First and newest accepted reading; null before the first. */
  readonly initial: Edge | null;
  readonly last: (Edge & { readonly clock: ClockState }) | null;
  /** Increments recorded so far. */
  readonly steps: number;
  /** A changed reading without a check sum, until others confirm it; `after`: the doubted one before it, when it fits. */
  readonly unconfirmed: Doubted | null;
  /** Readings a little below the last in a row; at the third they are reverse flow. */
  readonly rocked: number;
  /** A reading that was not believed and has not been refused yet, and how often it was seen again, since when. */
  readonly suspect: (Suspect & { readonly times: number; readonly since: EpochMs }) | null;
  /** When the dial last moved, and the longest it has stood still between two movements, in milliseconds. */
  readonly moved: { readonly at: EpochMs; readonly longestIdleMs: number } | null;
  /** When it last moved back. */
  readonly reversedAt: EpochMs | null;
  /** Polls in a row without an answer, and with an unreadable one. */
  readonly silences: number;
  readonly unreadables: number;
  /** Another encoder answered: which, how often in a row, and how often own and other have taken turns. */
  readonly stranger: { readonly id: string; readonly times: number } | null;
  readonly turns: number;
  readonly turnedAt: EpochMs | null;
  readonly alarms: AlarmState;
}

/** One installation. Plain JSON, everything that must survive a restart. */
export interface Installation extends RegisterLife {
  readonly inst: number;
  /** Flags of its first hour: `config` or `changeout` when it follows another installation. */
  readonly birth: readonly Flag[];
  readonly clock: ClockState | null;
  readonly hours: HourState | null;
  /** Readings that wait for the wall clock to be believed (I10). */
  readonly held: readonly Held[];
  /** A disabled meter publishes no hours (C6). */
  readonly disabled: boolean;
  /** Its hours are told as maintenance (`T`). */
  readonly maintenance: boolean;
}

/** A caller's own copy of an installation, to be changed in place. */
export type InstallationDraft = { -readonly [K in keyof Installation]: Installation[K] };

/** A copy, field by field: one is made at every poll, and a spread of so many fields takes ten times as long (V8). */
export function draftOf(state: Installation): InstallationDraft {
  return {
    inst: state.inst,
    birth: state.birth,
    initial: state.initial,
    last: state.last,
    steps: state.steps,
    unconfirmed: state.unconfirmed,
    rocked: state.rocked,
    suspect: state.suspect,
    moved: state.moved,
    reversedAt: state.reversedAt,
    silences: state.silences,
    unreadables: state.unreadables,
    stranger: state.stranger,
    turns: state.turns,
    turnedAt: state.turnedAt,
    alarms: state.alarms,
    clock: state.clock,
    hours: state.hours,
    held: state.held,
    disabled: state.disabled,
    maintenance: state.maintenance,
  };
}

/** An installation that has not been read yet. Alerts of use belong to the place: they are carried over to it. */
export function newInstallation(
  inst: number,
  birth: readonly Flag[] = [],
  carried: AlarmState['alerts'] = undefined,
): Installation {
  return {
    inst,
    birth,
    initial: null,
    last: null,
    steps: 0,
    unconfirmed: null,
    rocked: 0,
    suspect: null,
    moved: null,
    reversedAt: null,
    silences: 0,
    unreadables: 0,
    stranger: null,
    turns: 0,
    turnedAt: null,
    alarms: carried ? { ...NO_ALARMS, alerts: carried } : NO_ALARMS,
    clock: null,
    hours: null,
    held: [],
    disabled: false,
    maintenance: false,
  };
}
