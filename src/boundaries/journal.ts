// The journal: the one truth between polling and sending, and what it tells of itself.

import type { Advance, Installation, MeterRules } from '../domain/advance.ts';
import type { Evidence, OwnCode, Severity } from '../domain/alarms.ts';
import type { AlertWishes } from '../domain/alert-rules.ts';
import type { Checkpoint } from '../domain/checkpoint.ts';
import type {
  Acknowledged,
  Entry,
  EntryRow,
  EventRow,
  Increment,
  Row,
  RowRanges,
} from '../domain/entry.ts';
import type { Declaration, InstallationFacts, Proved } from '../domain/facts.ts';
import type { Result } from '../domain/fault.ts';
import type { EpochMs } from '../domain/units.ts';
import type { Room } from './store.ts';

/**
 * The one truth between polling and sending. Memory runs ahead of the medium by at most one group; nothing is handed
 * out for publishing before its group is synced, and after a failed write memory is dropped and read again.
 */
export interface Journal {
  /** Names the life of this journal; rows count without holes within it. */
  readonly epoch: string;
  /** False while the medium fails; readings taken meanwhile are not kept (registers are absolute: no water is lost). */
  isSound(): boolean;
  /** The meter's present installation; undefined for a meter that was not declared or while not sound. */
  installation(meter: string): Installation | undefined;
  facts(meter: string): InstallationFacts | undefined;
  /** The facts of an earlier installation too. */
  factsOf(meter: string, inst: number): InstallationFacts | undefined;
  /** Declares what the settings say stands at the place. Where they were corrected, it is a new installation flagged `config`. */
  declare(meter: string, declared: Declaration, rules: MeterRules): void;
  /** Ends the present installation, flagged `changeout`, and begins the next. Nothing while not sound. */
  changeOut(meter: string, change: ChangeOut, rules: MeterRules): void;
  /** Stages what one observation produced, to be written with the next group. */
  commit(meter: string, after: Advance): void;
  /** Newest revisions of hours that begin at or after `start` and of gaps that end at or after it. When the medium fails the journal is not sound afterwards. */
  publishedFrom(meter: string, start: EpochMs): Promise<readonly Entry[]>;
  /** Where the hours of the meter's installation that are still held begin; 0 where none was thinned. */
  heldFrom(meter: string): EpochMs;
  /** Resolves when anything is staged (or was, since the last call). */
  staged(signal: AbortSignal): Promise<void>;
  /** Resolves when hours or gaps are staged that should be written at once, or when the journal is not sound any more. */
  urgent(signal: AbortSignal): Promise<void>;
  /** So much waits to be written that it is a group of its own, however soon it follows the one before. */
  isFull(): boolean;
  /** Writes the staged group as one synced batch; good when there was nothing. A fault when anything that was staged was not written. */
  flush(): Promise<Result<void>>;
  /** Rows that became durable since the last call, for sending at once; claimed until they are released. */
  takeFresh(): readonly Row[];
  /** Meters whose facts became durable since the last call, for describing them again. */
  takeDescribed(): readonly string[];
  /** Resolves when `takeFresh` or `takeDescribed` has something, or the journal was read anew. */
  fresh(signal: AbortSignal): Promise<void>;
  /** Meters that have rows pending, in the order of their names. */
  metersPending(): readonly string[];
  /**
   * Pending rows of one meter, oldest first, at most `limit`, of one installation, without those in flight; with `after` only
   * those with higher numbers, so that who reads on does not search what it has read. `then`: the meter that is asked for next, which
   * is read ahead.
   */
  backlog(meter: string, limit: number, after?: number, then?: string): Promise<readonly Row[]>;
  /** Pending rows of all meters that are events, oldest first, at most `limit`, without those in flight. */
  eventsPending(limit: number): Promise<readonly Row[]>;
  /** Marks rows as being sent, so that they are not handed out twice; `release` takes it back. */
  claim(rows: readonly Row[]): void;
  release(rows: readonly { readonly row: number }[]): void;
  /** Releases all rows but those that are news: who had claimed them is there no more. */
  letGo(): void;
  /** Forgets that acknowledged rows were pending; written with the next group. */
  settle(rows: readonly Row[]): void;
  pending(): Promise<Pending>;
  /** What the head-end said last of what it has stored. */
  acknowledged(): Acknowledged;
  /** Remembers that the head-end wants to be waited for (A2). */
  requireAcks(): void;
  /**
   * Settles the rows that the head-end has stored, and makes those pending again that it misses. Where its word is the
   * last (`isLast`, not PUBACK's), so are those after a row to which it fell back (A1, A2). Written with the next group.
   */
  acknowledge(ack: Acknowledged, isLast: boolean): Promise<void>;
  /** Makes rows pending again that are kept, and writes that down; says how many. */
  sendAgain(ranges: RowRanges): Promise<number>;
  /** The row was asked for again and is not settled since. */
  isReplayed(row: number): boolean;
  /** Tells an event of the collector itself, once. */
  note(event: {
    readonly code: OwnCode;
    readonly severity: Severity;
    readonly data: Evidence;
  }): void;
  /** Tells that a trouble of the collector itself has begun or is over: each once, however often it is said (E1). */
  trouble(trouble: Trouble): void;
  /** What those are about that stand. */
  troubles(): readonly string[];
  /** Keeps what the command of this id came to, to be written with the next group; for 24 hours and 10,000 ids (C2). */
  keepAnswer(id: string, text: string, at: EpochMs): void;
  /** What it came to; undefined where the id is new, `store.failed` where it is not and its answer cannot be read. */
  keptAnswer(id: string): Promise<Result<string | undefined>>;
  lastRow(): number;
  /** Every hour and gap of a meter, all revisions, hours first. */
  rowsOf(meter: string, from?: EpochMs, to?: EpochMs): AsyncIterable<EntryRow>;
  /** Every event message of a meter, in the order of installations and alarms. */
  eventsOf(meter: string): AsyncIterable<EventRow>;
  incrementsOf(meter: string): AsyncIterable<Increment>;
  meters(): readonly string[];
  /** Resolves when something speaks against what the store holds; `scrub` tells what. */
  suspected(signal: AbortSignal): Promise<void>;
  /** Leaves word, outside the store, of what is durable now; `clean`: nothing will be written after it. */
  mark(clean?: boolean): Promise<Result<void>>;
  /**
   * Reads everything, `rest`ing between portions, and proves check sums and continuity. What is missing or damaged is
   * brought back where it was kept; what cannot be is put aside and told as `journal.loss`.
   */
  scrub(rest: () => Promise<void>): Promise<Result<ScrubReport>>;
  /**
   * Deletes what is older than its days, and more where room is short: delivered increments, then delivered hours, then,
   * told as `journal.loss`, what was never delivered. Rests between portions. What is left is as provable as before.
   * Things age by what is lived: `livedMs` have passed since the last call, as the steady clock says; absent: the wall
   * clock is believed.
   */
  thin(limits: KeepLimits, rest: () => Promise<void>, livedMs?: number): Promise<Result<Thinned>>;
  /** Reads everything as `scrub` does, mends nothing, and says what does not hold. `rest` is told how many records were read. */
  examine(rest: (records: number) => Promise<void>): Promise<Result<Examined>>;
  figures(): Promise<Result<JournalFigures>>;
  /** The room it takes up and leaves; null where it lies on no disk, or that does not tell. */
  room(): Promise<Room | null>;
  /** Every record as it stands on the medium at this moment, for a backup. Throws StoreLost. */
  records(): AsyncIterable<readonly [key: string, value: string]>;
  /**
   * Keeps what is known of a meter as of its newest increment, plain JSON, with the next group, and with it the state of
   * that reading. False, and nothing is kept, while the meter has had its share of the flash card (1 KB an hour on average),
   * unless it `must` be: with an event, which would be told twice without it.
   */
  remember(meter: string, known: unknown, must?: boolean): boolean;
  /** What was remembered last of a meter. Undefined where there is nothing, or it is damaged. */
  remembered(meter: string): Promise<Memory | undefined>;
  /** Increments on the medium from this one on, of later installations too; what is damaged is left out. Throws StoreLost. */
  incrementsFrom(meter: string, inst: number, seq: number): AsyncIterable<Increment>;
  /** What commands said of the alerts of a meter, or, under no name, of all. */
  wishes(meter: string): AlertWishes | undefined;
  /** Keeps it with the next group, and has the meter described again. */
  keepWishes(meter: string, wishes: AlertWishes): void;
  /**
   * Keeps what a technician leaves, plain JSON, under `folder/name` (letters, digits, `.`, `_`, `-`) with the next group; undefined
   * takes it away.
   */
  keepPaper(name: string, paper: unknown): void;
  /** Undefined where there is none, or it is damaged. Throws StoreLost. */
  paper(name: string): Promise<unknown>;
  /** All papers of a folder in the order of their names. Throws StoreLost. */
  papers(folder: string): Promise<readonly unknown[]>;
  /** Whether the row waits to be sent, or for the word of who is to have it. Throws StoreLost. */
  isPending(meter: string, row: number): Promise<boolean>;
  /** Somebody compared the dial that stands there with its encoder: told with the meter's description (S3). */
  noteProved(meter: string, proved: Proved): void;
  /** What is left of what was thinned of an installation; undefined where nothing was. */
  checkpoint(meter: string, inst: number): Checkpoint | undefined;
  close(): Promise<void>;
}

/** What is not settled yet, for status and pacing. */
export interface Pending {
  readonly rows: number;
  readonly oldest: EpochMs | null;
}

/** The meter that now stands at a place, and what is told of the change. */
export interface ChangeOut extends Declaration {
  readonly bodySerial: string | null;
  readonly told: Evidence;
}

/** A trouble of the collector itself that lasts. */
export interface Trouble {
  /** Tells troubles of one code apart; the same when it is over. */
  readonly about: string;
  readonly stands: boolean;
  readonly code: OwnCode;
  /** While it stands. */
  readonly severity: Severity;
  readonly data: Evidence;
}

/** What was known of a meter as of the increment before `seq` of its installation `inst`. */
export interface Memory {
  readonly inst: number;
  readonly seq: number;
  readonly known: unknown;
}

/** For how many days and in how much room a journal keeps what it holds; whichever is less. */
export interface KeepLimits {
  readonly incrementDays: number;
  readonly hourDays: number;
  readonly eventDays: number;
  readonly maxBytes: number;
  /** Bytes to be left free on the disk. */
  readonly minFreeBytes: number;
}

/** Records deleted. */
export interface Thinned {
  readonly increments: number;
  readonly hours: number;
  readonly events: number;
}

/** What a scrub found; `lost` counts what it could not bring back and nobody had been told of. */
export interface ScrubReport {
  readonly records: number;
  readonly damaged: number;
  readonly broughtBack: number;
  readonly lost: number;
  /** Installations whose hours and gaps do not sum to what their dial moved, in words. */
  readonly sums: readonly string[];
}

/** What does not hold in a journal, each with its exact place. */
export interface Examined {
  readonly records: number;
  readonly problems: readonly string[];
  /** Rows that are known not to be there any more. */
  readonly rowsGone: number;
}

/** What a journal holds and costs. Bytes are null where nobody can tell. */
export interface JournalFigures {
  readonly rows: number;
  readonly pending: number;
  readonly bytes: number | null;
  readonly freeBytes: number | null;
  /** By kind of record, roughly. */
  readonly bytesOf: Readonly<Record<string, number>>;
  /** Sent to the disk since 0:00 UTC by this program. */
  readonly wornToday: number | null;
  readonly oldestIncrement: EpochMs | null;
  readonly oldestHour: EpochMs | null;
}
