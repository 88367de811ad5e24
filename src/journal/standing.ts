// What stands in a journal: all that memory holds of it; hours, gaps, events and increments lie in the store alone.

import type { Installation } from '../domain/advance.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type { Acknowledged } from '../domain/entry.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import type { EpochMs } from '../domain/units.ts';
import { type Absent, NOTHING_ABSENT } from './absent.ts';
import { WaitingRows } from './waiting-rows.ts';

/** The newest of everything that there is once, or once for each meter, command or installation. */
export interface Standing {
  /** Empty while none is proved. */
  readonly epoch: string;
  readonly nextRow: number;
  readonly states: Map<string, Installation>;
  /** All installations' facts by `meter/inst`. */
  readonly facts: Map<string, InstallationFacts>;
  /** Rows pending by meter. */
  readonly pending: Map<string, number>;
  /** The same rows by their numbers. */
  readonly waiting: WaitingRows;
  /** Meters of the pending rows that are events, by their numbers: these go before all others (A4). */
  readonly events: Map<number, string>;
  acknowledged: Acknowledged;
  /** When each command was answered, by its id, oldest first. */
  readonly answers: Map<string, EpochMs>;
  /** Increments of installations that have ended, by `meter/inst`. */
  readonly ends: Map<string, number>;
  /** The highest installation of a meter that may ever have been told. */
  readonly highest: Map<string, number>;
  readonly absent: Absent;
  /** What is left of what was thinned, by `meter/inst`. */
  readonly checkpoints: Map<string, Checkpoint>;
  /** What commands said of alerts, by meter; of all under no name. */
  readonly wishes: Map<string, AlertWishes>;
  /** The journal took up too much room when it was written last. */
  readonly pressure: Pressure | null;
  /** Troubles of the collector itself that stand, by what they are about. */
  readonly troubles: ReadonlyMap<string, TroubleTold>;
  /** What the disk had borne of the day when an hour was written last. */
  readonly wear: Wear | null;
  /** How far retention has come; null: it never looked. */
  readonly aged: EpochMs | null;
  /** The highest number of what the collector told of itself that is still held. */
  readonly ownAlarm: number;
}

/** A `journal.pressure` that stands: its number, its messages, since when. */
export interface Pressure {
  readonly alarm: number;
  readonly messages: number;
  readonly since: EpochMs;
}

/** A trouble as it was told: its number, since when. */
export interface TroubleTold {
  readonly alarm: number;
  readonly since: EpochMs;
}

/** Bytes sent to the disk on a UTC day, counted from 1970. */
export interface Wear {
  readonly day: number;
  readonly bytes: number;
}

export const WEAR_KEY = 'a/wear';
export const PRESSURE_KEY = 'a/pressure';
export const TROUBLES_KEY = 'a/troubles';
/** How far retention has come. */
export const AGED_KEY = 'a/aged';

/** An answer as it is kept: when it was given, and what it says. */
export type KeptAnswer = readonly [at: EpochMs, text: string];

const NOTHING_ACKNOWLEDGED: Acknowledged = {
  ...{ epoch: '', required: false, row: 0, missing: [], sent: 0 },
};

export function nothingStands(epoch: string): Standing {
  const waiting = new WaitingRows();
  return {
    epoch,
    nextRow: 1,
    states: new Map(),
    facts: new Map(),
    pending: waiting.counts,
    waiting,
    events: new Map(),
    acknowledged: NOTHING_ACKNOWLEDGED,
    answers: new Map(),
    ends: new Map(),
    highest: new Map(),
    absent: NOTHING_ABSENT,
    checkpoints: new Map(),
    wishes: new Map(),
    pressure: null,
    troubles: new Map(),
    wear: null,
    aged: null,
    ownAlarm: 0,
  };
}
