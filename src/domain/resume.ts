// An installation whose own state was lost goes on from what its hours, its increments or a mark outside the journal prove.

import { NO_ALARMS } from './alarms.ts';
import { type Edge, freeFrom } from './hours.ts';
import { type Installation, newInstallation } from './installation.ts';
import type { ClockState } from './moment.ts';
import { type Counts, type EpochMs, hourOf } from './units.ts';

/** A position of the dial at an instant: `total` counts after the installation's first reading. */
export interface DialPoint {
  readonly at: EpochMs;
  readonly read: Counts;
  readonly total: Counts;
}

/** What is proved of an installation. */
export interface Proved {
  readonly inst: number;
  /** Its first accepted reading. */
  readonly initial: DialPoint;
  /** Where the newest hour or gap that is told ends: what passed the dial since then is not told yet. */
  readonly told: DialPoint;
  /** Its newest accepted reading; `told` where nothing newer is proved. */
  readonly last: DialPoint;
  /** Increments recorded so far. */
  readonly steps: number;
  /** The hour that is told next. */
  readonly start: EpochMs;
  /** Where gaps that are told begin: no other may have the same beginning, which is its key (I4). */
  readonly taken: readonly EpochMs[];
  /** Highest revision that may have been told, and the number of the next alarm. */
  readonly rev: number;
  readonly nextAlarm: number;
}

/** Names no boot: time since then is told by the wall clock. */
const NO_BOOT = 'lost';

/**
 * The installation as proved, at `now`. What passed since `told` becomes one gap; hours that begin before `now` may have been
 * told by the state that was lost, so they come with the next revision (I6: a restore), and nothing counts twice.
 * `before` is an older state of it, where there is one: what it knows of the register's habits is kept.
 */
export function resumeInstallation(
  proved: Proved,
  now: EpochMs,
  before: Installation | undefined,
): Installation {
  const { inst, initial, told, last, steps, start, nextAlarm } = proved;
  const taken = proved.taken.filter((key) => key >= Math.min(told.at, last.at, start));
  const base = before?.inst === inst ? before : newInstallation(inst);
  const seq = Math.max(base.last?.seq ?? 0, steps) + 1;
  const from: Edge = { ...told, seq };
  // A clock that went back may have stamped both with one instant.
  const isSame = last.at === told.at && last.total === told.total;
  const newest: Edge = isSame ? from : { ...last, seq: seq + 1 };
  const clock: ClockState = {
    boot: NO_BOOT,
    at: last.at,
    mono: 0,
    heldSince: null,
    waitedOut: false,
  };
  const rev = Math.max(proved.rev, base.hours?.rev ?? 0) + 1;
  const alarms = base.alarms ?? NO_ALARMS;
  return {
    ...base,
    initial: { ...initial, seq: 0 },
    last: { ...newest, clock },
    steps,
    unconfirmed: null,
    suspect: null,
    rocked: 0,
    moved: { at: last.at, longestIdleMs: base.moved?.longestIdleMs ?? 0 },
    alarms: { ...alarms, next: Math.max(alarms.next, nextAlarm) },
    clock,
    held: [],
    hours: {
      start,
      last: newest,
      from: null,
      whole: false,
      first: false,
      n: 0,
      flags: ['gap', 'restart'],
      person: false,
      maintained: base.maintenance,
      gap: {
        from: { ...from, at: freeFrom(from.at, taken) },
        why: 'power',
        rev,
        flags: ['restart'],
      },
      ended: null,
      until: Math.max(hourOf(now), start, base.hours?.until ?? 0),
      rev,
      ...(taken.length > 0 && { taken }),
    },
  };
}
