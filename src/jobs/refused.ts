// Messages that the broker refused: put aside, tried again more and more rarely, and shown.

import type { Clock, Log } from '../boundaries.ts';
import type { Row } from '../domain/entry.ts';
import type { Fault } from '../domain/fault.ts';

/** The first pause, in milliseconds of the wire; it doubles with every refusal of the same message. */
const RETRY_MS = 2_000;
/** Only a person can mend what a broker refuses; a look every five minutes finds it mended soon enough. */
const RETRY_MAX_MS = 5 * 60_000;
/** So many refused messages are not the fault of a message: the rest waits until one of them goes through. */
const ASIDE_MAX = 20;

/** A message that was refused `tries` times; its rows stay claimed. */
export interface RefusedMessage {
  readonly topic: string;
  readonly rows: readonly Row[];
  readonly tries: number;
}

/** What the broker refuses at present, for `status`; `rows` is 0 where it is nothing. */
export interface Refusals {
  rows: number;
  detail: string;
}

/** Lives as long as the job. */
export class Refused {
  readonly #wire: Clock;
  readonly #log: Log;
  readonly #refusals: Refusals;
  readonly #aside = new Map<RefusedMessage, number>();
  #told = '';

  constructor(parts: {
    readonly wire: Clock;
    readonly log: Log;
    readonly refusals?: Refusals;
  }) {
    this.#refusals = parts.refusals ?? { rows: 0, detail: '' };
    this.#wire = parts.wire;
    this.#log = parts.log;
  }

  put(message: RefusedMessage, fault: Fault): void {
    const pause = Math.min(RETRY_MS * 2 ** message.tries, RETRY_MAX_MS);
    this.#aside.set(message, this.#wire.monotonicMs() + pause);
    this.#refusals.rows += message.rows.length;
    this.#refusals.detail = fault.detail;
    // The same trouble is one line, not one a minute and not one a meter.
    const trouble = fault.why ?? fault.detail;
    const level = trouble === this.#told ? 'debug' : 'warn';
    this.#told = trouble;
    this.#log[level]({ ...fault }, 'rows were refused; they are tried again, more and more rarely');
  }

  /**
   * Rows of which no message can be made, such as those of an installation whose facts are lost: they stay claimed and
   * shown until the next start, and hold up nothing.
   */
  shelve(rows: readonly Row[], { code, detail }: Fault): void {
    this.#refusals.rows += rows.length;
    this.#refusals.detail = detail;
    this.#log.error({ code, detail, rows: rows.length }, 'no message can be made of these rows');
  }

  isFull(): boolean {
    return this.#aside.size >= ASIDE_MAX;
  }

  dueInMs(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const at of this.#aside.values()) due = Math.min(due, at);
    return Math.max(0, due - this.#wire.monotonicMs());
  }

  /** Those whose pause is over, which are refused no more until they are put aside again. */
  takeDue(): readonly RefusedMessage[] {
    const now = this.#wire.monotonicMs();
    const due = [...this.#aside].flatMap(([message, at]) => (at <= now ? [message] : []));
    for (const message of due) {
      this.#aside.delete(message);
      this.#refusals.rows -= message.rows.length;
    }
    return due;
  }
}
