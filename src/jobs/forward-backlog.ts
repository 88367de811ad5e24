// Sends the backlog: events, then meter by meter, oldest first, a window of messages under way, refilled as each is acknowledged.

import type { Prepared, SendCause } from '../boundaries.ts';
import { byInstallation, type Row } from '../domain/entry.ts';
import type { Fault, Result } from '../domain/fault.ts';
import { forwardPending } from '../pipeline.ts';
import { sometimes } from '../sometimes.ts';
import type { ForwardParts } from './forward.ts';
import { Lane } from './lane.ts';
import { Refused } from './refused.ts';

/** A message holds a week of one meter (I8). */
const MESSAGE_ROWS = 168;

/** Messages under way (A4). */
export const WINDOW = 20;

/** So many messages are read and written ahead, so that a place in the window is filled as its PUBACK comes. */
const AHEAD = 2;

/**
 * Events are read so many at a time, of whatever meter. Other rows by the message, or by the window of small ones: while more were taken
 * in at once, a broker would run dry, and what it then answers in handfuls takes longer than all the rest of a message.
 */
const READ_EVENTS = 1_000;

/** Rows that were not acknowledged are tried again after this, in milliseconds of the wire. */
const RETRY_MS = 2_000;

/** The pause doubles up to this while nothing is acknowledged. */
const RETRY_MAX_MS = 5 * 60_000;

/** Sends the backlog until `signal` aborts. What is on its way then settles by itself. */
export async function forwardBacklog(parts: ForwardParts, signal: AbortSignal): Promise<void> {
  const backlog = new Backlog(parts, signal);
  let pause = RETRY_MS;
  while (!signal.aborted) {
    const { sent, failed } = await backlog.pass();
    pause = sent > 0 || !failed ? RETRY_MS : Math.min(2 * pause, RETRY_MAX_MS);
    if (signal.aborted || (sent > 0 && !failed)) continue; // There may be more by now.
    await untilStirred(parts, Math.min(failed ? pause : Infinity, backlog.dueInMs()), signal);
  }
}

/** Waits for the bell, at most for so long. */
async function untilStirred({ stir, wire }: ForwardParts, ms: number, signal: AbortSignal) {
  const turn = new AbortController();
  const end = () => turn.abort('over');
  signal.addEventListener('abort', end, { once: true });
  const waits = [stir.wait(turn.signal)];
  if (Number.isFinite(ms)) waits.push(wire.sleep(ms, turn.signal));
  await Promise.race(waits);
  end();
  signal.removeEventListener('abort', end);
  await Promise.all(waits);
}

/** What came of the messages of one pass over all meters; `failed`: the link or the journal gave way. */
interface Pass {
  sent: number;
  failed: boolean;
}

/** How far the pending rows are read: of the first of `meters` up to the row `after`. */
interface Search {
  readonly meters: string[];
  after: number;
}

/** Lives as long as the job. */
class Backlog {
  readonly #parts: ForwardParts;
  readonly #signal: AbortSignal;
  readonly #lane: Lane;
  readonly #refused: Refused;
  readonly #messageRows: number;
  /** Rows that are read at a time. */
  readonly #rows: number;
  /** As the signal says, which takes longer to ask: each is a kind of object of its own (Node.js 20). */
  #isOver: boolean;
  #mayStartAt = 0;

  constructor(parts: ForwardParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#isOver = signal.aborted;
    const end = () => {
      this.#isOver = true;
    };
    signal.addEventListener('abort', end, { once: true });
    const { window = WINDOW } = parts;
    this.#lane = new Lane(AHEAD * window, signal);
    this.#refused = new Refused(parts);
    this.#messageRows = parts.messageRows ?? MESSAGE_ROWS;
    this.#rows = Math.max(this.#messageRows, window);
  }

  /** Milliseconds of the wire until something refused is tried again; without a link nothing is, and a new one rings. */
  dueInMs(): number {
    if (!this.#parts.upstream.isConnected()) return Number.POSITIVE_INFINITY;
    return Math.max(RETRY_MS, this.#refused.dueInMs());
  }

  /** Sends what is pending of every meter, once. The next rows are read while the ones before them are sent. */
  async pass(): Promise<Pass> {
    const pass: Pass = { sent: 0, failed: false };
    if (this.#mayGoOn(pass)) await this.#tryRefused(pass);
    await this.#sendEvents(pass);
    const search = { meters: [...this.#parts.journal.metersPending()], after: 0 };
    let ahead = this.#read(search, pass);
    for (let rows = await ahead; rows.length > 0; rows = await ahead) {
      ahead = this.#read(search, pass);
      await this.#sendAll(rows, pass);
    }
    await this.#lane.empty();
    return pass;
  }

  /** Events go first (A4), of whatever meter. */
  async #sendEvents(pass: Pass): Promise<void> {
    const { journal } = this.#parts;
    while (this.#mayGoOn(pass) && !this.#refused.isFull()) {
      const rows = await journal.eventsPending(READ_EVENTS);
      if (rows.length === 0) return;
      journal.claim(rows);
      for (const group of byInstallation(rows)) await this.#sendAll(group, pass);
    }
  }

  /** The next pending rows, claimed, of the first meter that has any; those without are taken off the list. */
  async #read(search: Search, pass: Pass): Promise<readonly Row[]> {
    const { journal } = this.#parts;
    const { meters } = search;
    for (let [meter] = meters; meter !== undefined && this.#mayGoOn(pass); [meter] = meters) {
      const isFull = this.#refused.isFull();
      const [, then] = meters;
      const rows = isFull ? [] : await journal.backlog(meter, this.#rows, search.after, then);
      search.after = rows.at(-1)?.row ?? 0;
      if (rows.length > 0) {
        journal.claim(rows);
        return rows;
      }
      meters.shift();
    }
    return [];
  }

  #mayGoOn(pass: Pass): boolean {
    return !pass.failed && !this.#isOver && this.#parts.upstream.isConnected();
  }

  async #sendAll(rows: readonly Row[], pass: Pass): Promise<void> {
    for (let from = 0; from < rows.length; from += this.#messageRows) {
      const some = rows.slice(from, from + this.#messageRows);
      if (!this.#mayGoOn(pass) || this.#refused.isFull()) {
        this.#parts.journal.release(some);
        continue;
      }
      for (const message of this.#prepare(some)) {
        const place = this.#takePlace();
        if (place !== undefined) await place;
        this.#send(message, pass, 0);
      }
    }
  }

  /** The messages of these rows; those of which none can be made are shelved. */
  #prepare(rows: readonly Row[]): readonly Prepared[] {
    const { journal } = this.#parts;
    // What was asked for again says so (I8).
    const isAgain = ({ row }: Row) => journal.isReplayed(row);
    if (!rows.some(isAgain)) return this.#messages(rows, 'backfill');
    const others = rows.filter((row) => !isAgain(row));
    return [
      ...this.#messages(others, 'backfill'),
      ...this.#messages(rows.filter(isAgain), 'replay'),
    ];
  }

  #messages(rows: readonly Row[], cause: SendCause): readonly Prepared[] {
    const prepared = this.#parts.upstream.prepare(rows, cause);
    if (prepared.ok) return prepared.value;
    this.#refused.shelve(rows, prepared.fault);
    return [];
  }

  async #tryRefused(pass: Pass): Promise<void> {
    for (const { rows, tries } of this.#refused.takeDue()) {
      for (const message of this.#prepare(rows)) {
        const place = this.#takePlace();
        if (place !== undefined) await place;
        this.#send(message, pass, tries);
      }
    }
  }

  /** Takes a place. Undefined where it may be used now: thousands of messages a second need no waiting for what is there. */
  #takePlace(): Promise<void> | undefined {
    return this.#lane.take() ? this.#keepPace() : this.#awaitPlace();
  }

  async #awaitPlace(): Promise<void> {
    await this.#lane.place();
    await this.#keepPace();
  }

  /** Undefined where the pace allows a message now. A timer is no shorter than a millisecond: less is made up for by the next. */
  #keepPace(): Promise<void> | undefined {
    const { wire, backlogPerS } = this.#parts;
    const now = wire.monotonicMs();
    const early = this.#mayStartAt - now;
    this.#mayStartAt = Math.max(this.#mayStartAt, now) + 1_000 / backlogPerS;
    return early >= 1 ? wire.sleep(early, this.#signal) : undefined;
  }

  /** Begins to send, in the place that was taken; what comes of it is told to the pass. */
  #send(message: Prepared, pass: Pass, tries: number): void {
    if (!this.#mayGoOn(pass)) {
      this.#lane.leave();
      this.#parts.journal.release(message.rows);
      return;
    }
    const told = (outcome: Result<void>) => {
      if (outcome.ok) pass.sent += message.rows.length;
      else this.#failed(message, outcome.fault, pass, tries);
      this.#lane.leave();
    };
    forwardPending(message, this.#parts, told, this.#stumbled, true);
  }

  /** One for all messages: a function of its own for each is garbage. */
  readonly #stumbled = (bug: unknown) => this.#lane.fail(bug);

  /** What the broker refuses is put aside, so that it holds up nothing else; without a link nothing goes. */
  #failed({ topic, rows }: Prepared, fault: Fault, pass: Pass, tries: number): void {
    if (fault.code === 'upstream.refused') {
      this.#refused.put({ topic, rows, tries: tries + 1 }, fault);
      return;
    }
    pass.failed = true;
    this.#parts.journal.release(rows);
    sometimes('upstream: rows were not acknowledged');
    this.#parts.log.debug({ ...fault }, 'rows were not acknowledged and stay pending');
  }
}
