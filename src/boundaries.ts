// The few interfaces between the collector and everything outside it; each method's promise in words.

import type { Advance, Installation, MeterRules } from './domain/advance.ts';
import type { Evidence, OwnCode, Severity } from './domain/alarms.ts';
import type { AlertWishes } from './domain/alert-rules.ts';
import type { BusSeen, BusSummary } from './domain/bus-seen.ts';
import type { Checkpoint } from './domain/checkpoint.ts';
import type {
  Acknowledged,
  Entry,
  EntryRow,
  EventRow,
  Increment,
  Row,
  RowRanges,
} from './domain/entry.ts';
import type { Declaration, InstallationFacts, Proved } from './domain/facts.ts';
import type { Result } from './domain/fault.ts';
import type { HandProfile, Profile, Register } from './domain/profile.ts';
import type { ScanProgress } from './domain/scan.ts';
import type { Counts, Dial, EpochMs } from './domain/units.ts';
import type { WatchedRules } from './domain/watched.ts';

export type { Register } from './domain/profile.ts';

/**
 * Time as an argument. The schedule's clock (hours, retention, alerts) may run scaled or virtual;
 * the wire's clock (time-outs and gaps of lines, disk and network) is a second instance at speed 1.
 */
export interface Clock {
  /** Milliseconds of this clock in one millisecond of the wire; 1 outside simulations. */
  readonly speed: number;
  /** Names the run of `monotonicMs`: readings of two boots cannot be subtracted. */
  readonly boot: string;
  /** Wall time in whole milliseconds. May step. */
  now(): EpochMs;
  /** Time that never steps, from an arbitrary origin within one boot. */
  monotonicMs(): number;
  /** Whether the wall time is synchronised; null when nobody can tell. */
  synced(): boolean | null;
  /** Resolves after `ms` of this clock, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * As `sleep`, but as near to its end as the machine can tell, which costs more than a timer. For the few milliseconds between two frames of a line, where a timer's whole millisecond is too coarse.
   */
  pause(ms: number): Promise<void>;
}

/**
 * Raw bytes of one serial port or TCP peer, under a line or a Modbus link. Used by one owner, who sets both listeners
 * before the first opening.
 */
export interface Wire {
  /** True between a good `open` and the loss of the port or peer, noticed even while nothing is written. */
  isOpen(): boolean;
  /** One try to open; bounded. Opening an open wire is good. Never rejects. */
  open(): Promise<Result<void>>;
  /**
   * Good when the bytes are handed to the driver. `port.absent` when not open; `port.failed` when nobody takes them for
   * two seconds, after which the wire is lost. The bytes must not change until it resolves.
   */
  write(bytes: Uint8Array): Promise<Result<void>>;
  /** Bytes written and not yet taken by the driver: requests that pile up in a stuck port. */
  unsent(): number;
  /** Sets the one listener for arriving bytes; they are valid only during the call. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Sets the one listener told, once per opening, that the port or peer is gone; a close is not told. */
  onLost(listener: () => void): void;
  /** Releases the port: not open, and silent, from the call on. Idempotent. */
  close(): Promise<void>;
}

/** One conversation of bytes with what hangs on a serial port or a TCP peer. Used by one owner, one call at a time. */
export interface Line {
  /** True between a good `open` and the loss of the port, noticed even while nothing is asked of it. */
  isOpen(): boolean;
  /** One try to open; bounded by the adapter's own time-out. Opening an open line is good. Never rejects. */
  open(): Promise<Result<void>>;
  /** Resolves when the bytes are handed to the driver. `port.absent` when not open. */
  write(bytes: Uint8Array): Promise<Result<void>>;
  /**
   * The next whole frame (without its delimiter) that began after the last `drain`. `line.silent` after
   * `timeoutMs` of the wire, `line.torn` when by then part of a frame had come, `line.overlong` when the cap is
   * passed without a delimiter, `port.absent` at once when the port is lost. A torn tail is never a frame.
   */
  receive(timeoutMs: number, signal?: AbortSignal): Promise<Result<Uint8Array>>;
  /** Forgets every byte received so far. */
  drain(): void;
  /** Releases the port; a pending `receive` settles. Idempotent. */
  close(): Promise<void>;
}

/** A question to a Modbus device: `quantity` 16-bit words from the 0-based `address`. Reading only: there is no write. */
export interface ModbusQuestion {
  readonly unit: number;
  readonly table: 'holding' | 'input';
  readonly address: number;
  readonly quantity: number;
  readonly timeoutMs: number;
  /** Nobody else needs the line for so long after the time-out: the answer may come until then. On a line only. */
  readonly spareMs?: number;
}

/** A Modbus link (RTU on a line, or TCP). Used by one owner. */
export interface ModbusLink {
  /** How many questions may be under way at once: 1 on a line. One more is a bug of the owner, and rejects. */
  readonly atOnce: number;
  /** How many the peer was seen to answer in time; absent: `atOnce`. */
  readonly atOnceNow?: number;
  isOpen(): boolean;
  /** One try to open; bounded. Never rejects. */
  open(): Promise<Result<void>>;
  /**
   * The words in address order. `line.silent` after `timeoutMs`, `line.torn` when by then a part of an answer had come.
   * On a line two pauses may come before the question (its quiet, and the wait for what a unit owes: at most one time-out
   * more), and a unit that still owes answers is asked more than once, as many times as could be needed to know which of
   * its answers is new.
   */
  read(question: ModbusQuestion, signal?: AbortSignal): Promise<Result<readonly number[]>>;
  /** Releases the link; every question under way settles. Idempotent. */
  close(): Promise<void>;
}

/** One change of a batch; `value` absent deletes the key. Keys and values are text. */
export interface StoreChange {
  readonly key: string;
  readonly value?: string;
}

/** A range of keys in byte order: `from` inclusive, `to` exclusive. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** A part of a range that fits into memory. */
export type Portion = KeyRange & { readonly limit: number };

/** An ordered store of text on something that survives a power cut. */
export interface Store {
  /** All changes or none, on the medium (synced) when it resolves good. After a fault the outcome is unknown until read again. */
  write(changes: readonly StoreChange[]): Promise<Result<void>>;
  get(key: string): Promise<Result<string | undefined>>;
  /** As many `get`s, in their order, for the price of one; absent where it would save nothing. */
  getMany?(keys: readonly string[]): Promise<Result<readonly (string | undefined)[]>>;
  /** Entries of the range in order, as they stood when the iteration began. Ends early, with a thrown StoreLost, if the medium fails. */
  entries(range: KeyRange): AsyncIterable<readonly [key: string, value: string]>;
  /** As `entries`, at most `limit` of them, read at once: who reads a whole store waits for portions, not for each entry. */
  portion(range: Portion): Promise<readonly (readonly [key: string, value: string])[]>;
  /** The texts of a portion without their keys; absent where it would save nothing. */
  texts?(range: Portion): Promise<readonly string[]>;
  /** Gives back the room of what was deleted in the range; absent where nothing takes up room. */
  compact?(range: Pick<KeyRange, 'from' | 'to'>): Promise<Result<void>>;
  /** The room that the store takes up and leaves, where it lies on a disk. */
  room?(): Promise<Result<Room>>;
  /** Bytes that a range takes up, roughly and without what was written last, where it lies on a disk. */
  sizeOf?(range: Pick<KeyRange, 'from' | 'to'>): Promise<Result<number>>;
  /** Bytes that this process has sent to disks since it began; null where the system does not tell. */
  worn?(): number | null;
  close(): Promise<void>;
}

/** In bytes: what a store takes up, what is free beside it, and how large its disk is. */
export interface Room {
  readonly bytes: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * A place where a store lies, with what is kept beside it, so that neither an opening nor damage loses anything unsaid.
 * Nothing here ever rejects.
 */
export interface Vault {
  /**
   * Opens the store after keeping what an opening of a damaged one destroys; creates it where there is none. What cannot
   * be opened is repaired, and what cannot be repaired is put aside for an empty one (see `signs`). `store.locked` while
   * another holds it; `store.failed` while the disk is full, read-only or out of reach.
   */
  open(): Promise<Result<Store>>;
  /** What the last opening found amiss, in words, and those before it since the last `heard`; none for a sound one. */
  signs(): readonly string[];
  /** What the signs said is told, and that is on the medium: a kill from now on leaves it told. */
  heard(): Promise<void>;
  /** What can be repaired of what was kept, as a store of its own; undefined when nothing was kept. To be closed. */
  salvage(): Promise<Result<Store | undefined>>;
  /** Reading the opened store failed in these words: where they tell of damage, the next opening repairs it first. */
  mistrust(detail: string): void;
  /** The opened store is proved: what was kept is forgotten. */
  release(): Promise<void>;
  /** The text kept outside the store; undefined when there is none. */
  readMark(): Promise<Result<string | undefined>>;
  /** Replaces that text; after a power cut the old or the new one is there, whole. */
  writeMark(text: string): Promise<Result<void>>;
  /** Puts damaged records aside, within a bound, for a person to look at. */
  quarantine(records: readonly (readonly [key: string, value: string])[]): Promise<void>;
  /** Sets room aside (again) for the day the disk is full. */
  reserve(): Promise<void>;
}

/** Who started this program and wants to know how it is: systemd, or nobody. Nothing here ever rejects. */
export interface Supervisor {
  /** A sign of life is wanted at least so often, in milliseconds; null: none is. */
  readonly watchdogMs: number | null;
  ready(): Promise<void>;
  /** It lives; `status` is one line for people. */
  alive(status: string): Promise<void>;
  stopping(): Promise<void>;
}

/** A message for the head-end. `topic` is complete; `expiryS` asks the broker to drop it when older (MQTT 5). */
export interface OutMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly expiryS?: number;
  /** What a question wants to see in its answer (MQTT 5). */
  readonly correlation?: Uint8Array;
  /** Whatever else waits for a place in the window goes before it (A4). */
  readonly late?: boolean;
}

/** A message from the head-end, as the broker passed it on. */
export interface InMessage {
  readonly topic: string;
  /** As UTF-8; what is none of it is replaced, and so no JSON. */
  readonly payload: string;
  readonly bytes: number;
  /** The broker had kept it: it may be old. */
  readonly retained: boolean;
  /** Where an answer is awaited, and what it must carry (MQTT 5). */
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** The way to the head-end through a broker. Reconnects for ever by itself, backing off to a ceiling. */
export interface HeadEnd {
  /** Begins connecting. `will` is left with the broker for the day the link is lost. */
  start(will: OutMessage): void;
  isConnected(): boolean;
  /** Says in words what the link is doing, for `status`. */
  linkState(): string;
  /** Asks the broker for `topics` on every connection and hands on what comes on them. Set once, before `start`. */
  listen(topics: readonly string[], listener: (message: InMessage) => void): void;
  /** Called after each new connection, before anything else is published on it. */
  onConnect(listener: () => void): void;
  /** Called with the reason when another client seems to use our id; once, until a link has held for a minute. */
  onTakeover(listener: (why: string) => void): void;
  /**
   * Good only when the broker has acknowledged (QoS 1) or the bytes are sent (QoS 0). `upstream.offline` at once
   * when not connected: nothing is queued here. `upstream.silent` when no PUBACK came in time, `upstream.refused`
   * when the broker said no.
   */
  publish(message: OutMessage): Promise<Result<void>>;
  /** Most bytes that the broker now linked takes as payload on `topic`; absent or infinite: it named no limit. */
  payloadMax?(topic: string): number;
  /** Disconnects cleanly, after what is in flight has settled or one second has passed. */
  close(): Promise<void>;
}

/** What the broker refused of what is published beside the rows, and its word on the last of them. */
export interface Unsaid {
  readonly count: number;
  readonly detail: string;
}

/** Where the daemon tells what happens. Fields are plain data; no secrets, nothing untrusted as a key. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What technicians and the head-end may ask of a running collector; one set of handlers for every door. */
export interface Commands {
  /** Runs the named command. The answer is plain data; a refusal carries a code and a hint. Never rejects. */
  run(name: string, args: Readonly<Record<string, unknown>>): Promise<CommandAnswer>;
}

export type CommandAnswer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

/** Chance and one-way functions, for the passwords, sessions and tokens of the console. */
export interface Secrets {
  /** So many random bytes, as base64url text. */
  random(bytes: number): string;
  /** SHA-256 as base64url text: for secrets that are too random to be guessed. */
  digest(secret: string): string;
  /** Scrypt over a salt of its own, as text that tells its costs. Slow and large on purpose: not to be called many times at once. */
  scramble(password: string): Promise<string>;
  /** Whether the text was scrambled from this password; false for what is no such text. As slow as `scramble`. */
  matches(password: string, scrambled: string): Promise<boolean>;
}

/** A small text file for its owner alone, which other processes read and replace too. Nothing here rejects for the disk. */
export interface SharedText {
  /** Its text as it is now; undefined where it is not there. Cheap while nobody has changed it. */
  read(): Promise<Result<string | undefined>>;
  /** Replaces the text by what `edit` makes of it (`text` left out: leaves it), on the medium, while no other process does. */
  change<T>(
    edit: (text: string | undefined) => { readonly text?: string; readonly outcome: T },
  ): Promise<Result<T>>;
}

/** A file of the console's pages, with its packed forms. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly lasting: boolean;
  readonly plain: Uint8Array;
  readonly packed: Readonly<Partial<Record<'br' | 'gzip', Uint8Array>>>;
}

/** The pages as they were built: a closed set, so that no path leads elsewhere. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Who asks over HTTP, as the socket knows it. */
export interface Caller {
  readonly address: string;
  /** The address of this machine that was called. */
  readonly local: string;
  /** Under TLS. */
  readonly secure: boolean;
  /** They have proved who they are: their connection is the last to be given up when there are too many. */
  trust(): void;
  /** Ends the connection at once: what was answered so far is not whole. */
  breakOff(): void;
}

/** Where a meter hangs and how it is asked. */
export interface ReadTarget {
  readonly meter: string;
  /** Modbus unit (1 to 247; over TCP also 0 and 255, the device itself), with `/CHANNEL` where the device has several, or the text that takes the place of `{address}` in a line's request. */
  readonly address: string;
  /** Identification the encoder must send with its register. */
  readonly registerId?: string;
  readonly profile: Profile | HandProfile;
  readonly dial: Dial;
}

/** What came of a read that a person asked for: the dial, the fault, or when the meter may be asked (`busyUntil`). */
export type AskedOutcome = Result<Counts> | { readonly ok: false; readonly busyUntil: EpochMs };

/** A piece of bytes as it went over a wire: microseconds since the trace began, and since the piece before. */
export interface TracedFrame {
  readonly at_us: number;
  readonly dir: 'tx' | 'rx';
  readonly hex: string;
  readonly gap_us: number;
}

/** Pieces in their order, of which `lost` before them came too fast to be kept; `next` is where the following begin. */
export interface TracedFrames {
  readonly frames: readonly TracedFrame[];
  readonly next: number;
  readonly lost: number;
  /** Nothing follows. */
  readonly over: boolean;
}

/** A trace of one wire that can be switched on while it runs; one at a time, bounded in bytes and time. */
export interface WireTrace {
  /** Begins a trace, which ends one under way, and names it. */
  start(forMs: number): number;
  /** What came since `after`; when there is nothing, at most a second later. Never rejects. */
  take(trace: number, after: number): Promise<TracedFrames>;
  stop(trace: number): void;
}

/** A search for devices on a wire, in as many sittings as it is given. */
export interface ScanRun {
  progress(): ScanProgress;
  /** Asks for about so long, on a link that it opens and closes. Never rejects. */
  work(forMs: number, signal?: AbortSignal): Promise<void>;
}

/** The scan of a bus whose port a running collector owns. */
export interface BusScans {
  /** False while one is under way. */
  start(run: ScanRun, timeoutMs: number): boolean;
  /** How far the newest is, after at most a second; null when there was none. */
  progress(waitMs?: number): Promise<ScanProgress | null>;
  stop(): void;
}

/** One bus with its meters: one conversation at a time, or a bounded number of them. */
export interface Bus {
  /** How many reads may be under way at once; 1 where it does not say. One more is a bug of the owner, and rejects. */
  readonly atOnce?: number;
  /** How many it bears just now: fewer where more get into each other's way. Absent: `atOnce`. */
  readonly atOnceNow?: number;
  /**
   * Asks one meter for its dial. Settles within the bus's time-out, or twice it where one retry helps (a Modbus profile whose
   * words lie apart: for each of its questions, of which the first unanswered one is the last); `port.absent` or
   * `peer.unreachable` at once between two tries to open the link. Never rejects. The caller stamps the time. Where nobody
   * else needs the bus for `spareMs` of the wire, the answer may come so much later; a bus need not make use of it.
   */
  read(target: ReadTarget, signal?: AbortSignal, spareMs?: number): Promise<Result<Register>>;
  /** What the link is doing, in words, and whether it is open. */
  link(): { readonly open: boolean; readonly detail: string };
  /** What was seen on it since the start; absent where nobody counts. */
  seen?(): BusSeen;
  /** The same in few numbers; absent where `seen` is. */
  summary?(): BusSummary;
  /** What goes over its wire; absent where there is none. */
  readonly trace?: WireTrace | undefined;
  /** Lets go of the link; the next read opens it again at once. Only between reads. */
  rest?(): Promise<void>;
  /** Releases the link; what is being read settles. Idempotent. */
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

/**
 * The one truth between polling and sending. Memory runs ahead of the medium by at most one group; nothing is handed
 * out for publishing before its group is synced, and after a failed write memory is dropped and read again.
 */
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
   * those with higher numbers, so that who reads on does not search what it has read.
   */
  backlog(meter: string, limit: number, after?: number): Promise<readonly Row[]>;
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
  keptAnswer(id: string): Promise<string | undefined>;
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

/** Why rows are sent (I8): an hour just over, an earlier one, one asked for again, the last of an installation that ended. */
export type SendCause = 'scheduled' | 'backfill' | 'replay' | 'final';

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

/** What was known of a meter as of the increment before `seq` of its installation `inst`. */
export interface Memory {
  readonly inst: number;
  readonly seq: number;
  readonly known: unknown;
}

/** Watches over leaks and use at every place. What it knows is the journal's, and recalled after each opening. */
export interface Watches {
  /** Has in memory what is known of a meter; undefined where it has, or where there is nothing to know yet. Never rejects. */
  recall(meter: string, rules: MeterRules): Promise<void> | undefined;
  /** Adds what an observation tells of leaks and use to what it produced, commits all of it as one, and gives it back. */
  commit(meter: string, rules: MeterRules, before: Installation, after: Advance): Advance;
  /** The rules by which a meter is watched now. */
  rulesOf(meter: string, rules: MeterRules): WatchedRules;
  /** Takes in that the rules of a meter have changed; what no longer holds is cleared, what does is raised. */
  heed(meter: string): Promise<void>;
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

/** What a scrub found; `lost` counts what it could not bring back and nobody had been told of. */
export interface ScrubReport {
  readonly records: number;
  readonly damaged: number;
  readonly broughtBack: number;
  readonly lost: number;
  /** Installations whose hours and gaps do not sum to what their dial moved, in words. */
  readonly sums: readonly string[];
}

/** A message ready to be sent, with the rows that it carries. */
export interface Prepared {
  readonly topic: string;
  readonly payload: string;
  readonly rows: readonly Row[];
}

/** The way up: turns rows and facts into the contract's messages and hands them to the head-end. */
export interface Upstream {
  isConnected(): boolean;
  /** The messages that carry these rows of one meter and installation: events first, then hours and gaps, as many as fit (A4, I8). */
  prepare(rows: readonly Row[], cause: SendCause): Result<readonly Prepared[]>;
  /** Publishes a message; good when the broker has acknowledged it. `late`: after everything else that waits. */
  publish(message: Prepared, late?: boolean): Promise<Result<void>>;
  /** Takes rows that the broker has: they are settled at once, or once the head-end has stored them (A2). */
  delivered(rows: readonly Row[]): void;
  /** Publishes the retained description of a meter. */
  describe(meter: string): Promise<void>;
}
