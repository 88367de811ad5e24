// One meter's place in the plan of its bus: when it is due, for what, and what its last reads were like.

import type { Fault } from '../domain/fault.ts';
import { phaseOf, type Rhythm } from '../domain/schedule.ts';
import type { EpochMs } from '../domain/units.ts';
import type { MeteredPlace } from '../pipeline.ts';
import type { DueHeap, Placed } from './due-heap.ts';

/** What status tells of a meter's polling. */
export interface PollRecord {
  readonly fault: (Fault & { readonly since: EpochMs }) | null;
}

/** Times are of the schedule's clock; `...Mono` of its monotonic one. */
export interface Turn extends Placed {
  readonly place: MeteredPlace;
  /** The device misbehaves when it is asked again sooner. */
  readonly minPollMs: number;
  rhythm: Rhythm;
  due: EpochMs;
  /** Who is first among those that are due: the lesser. */
  order: number;
  /** The hour's edge that the next read is for, 0 for a poll in between. */
  edge: EpochMs;
  /** The newest edge that needs no further read. */
  edgeRead: EpochMs;
  /** Reads that failed since the last good one. */
  failures: number;
  /** The newest edge that a read for it failed. */
  edgeFailed: EpochMs;
  /** Its late answer may be under way until then. */
  restMono: number;
  fault: PollRecord['fault'];
  /** Readings made in a row to confirm one. */
  seconds: number;
  /** About when the last question was on the wire. */
  askedMono: number;
  /** How long a good read takes. */
  readMs: number;
  learned: boolean;
  /** Reads that were under way when it was asked last, with its own; null where the bus would have taken more. */
  crowd: number | null;
  closingTried: EpochMs;
  /** The heap it waits in; null while it is asked. */
  home: DueHeap<Turn> | null;
}

/** A turn that is due at once, for a meter whose read is expected to take `readMs`. */
export function newTurn(place: MeteredPlace, now: EpochMs, readMs: number): Turn {
  const { pollMs, toleranceMs } = place.rules;
  return {
    ...{ place, minPollMs: place.target.profile.minPollS * 1000, due: now, order: now },
    rhythm: { pollMs, toleranceMs, phaseMs: 0 },
    ...{
      edge: 0,
      edgeRead: 0,
      edgeFailed: 0,
      failures: 0,
      fault: null,
      seconds: 0,
      closingTried: 0,
    },
    ...{ askedMono: Number.NEGATIVE_INFINITY, restMono: Number.NEGATIVE_INFINITY },
    ...{ readMs, learned: false, crowd: null, home: null, slot: 0 },
  };
}

/** The newest reads say most of what the next will be like. */
const NEWEST_WEIGHS = 1 / 8;

/** Takes in how long a good read took. */
export function learn(turn: Turn, tookMs: number): void {
  turn.readMs = turn.learned ? turn.readMs + (tookMs - turn.readMs) * NEWEST_WEIGHS : tookMs;
  turn.learned = true;
}

/** Gives each meter its share of the poll period, or sets all back on the even grid. */
export function spread(turns: readonly Turn[], apart: boolean): void {
  for (const [i, turn] of turns.entries()) {
    const { pollMs } = turn.rhythm;
    turn.rhythm = { ...turn.rhythm, phaseMs: apart ? phaseOf(i, turns.length, pollMs) : 0 };
  }
}
