// Publishes handed to a broker and not yet answered: a window, an age limit, and one end for all of them.

import type { Clock, OutMessage } from '../boundaries.ts';
import type { Fault, Result } from '../domain/fault.ts';

/** Un-acknowledged QoS 1 messages on one link (rule A4); a broker may allow fewer, never more. */
const WINDOW_MAX = 20;
/** Publishes that may wait for a place in the window. Callers keep a window of their own; a thousand is a bug's worth. */
const WAITING_MAX = 1_000;
/** After a stop of the whole process the acks lie unread in the socket: one more look before the link is condemned. */
const LAST_LOOK_MS = 50;

/** A message on its way. */
export interface Sent {
  readonly message: OutMessage;
  readonly settle: (outcome: Result<void>) => void;
  /** On the monotonic clock of the wire. */
  due: number;
  /** What came of it; undefined while it is in flight. */
  outcome: Result<void> | undefined;
  /** What was sent after it. */
  next: Sent | undefined;
}

/**
 * The in-flight publishes of one link. Each settles exactly once: by its answer, or by `end`.
 * `onSilent` is called when one has waited `ackTimeoutMs` of the wire for its answer.
 */
export class InFlight {
  readonly #clock: Clock;
  readonly #ackTimeoutMs: number;
  readonly #hand: (sent: Sent) => void;
  readonly #onSilent: () => void;
  readonly #window: number;
  /** What is in flight, as a chain from the oldest to the newest; what was answered out of turn stands in it still. */
  #oldest: Sent | undefined;
  #newest: Sent | undefined;
  #answered: Sent[] = [];
  readonly #waiting: Sent[] = [];
  /** They wait for all others. */
  readonly #late: Sent[] = [];
  readonly #ended = new AbortController();
  #taken = 0;
  /** One message alone until the first PUBACK: a broker that acknowledges nothing is not sent everything on every link. */
  #isOpened = false;
  #watching = false;
  #end: Fault | undefined;
  #onIdle: (() => void) | undefined;

  constructor(parts: {
    clock: Clock;
    ackTimeoutMs: number;
    /** What the broker allows (MQTT 5 receive maximum). */
    receiveMaximum?: number | undefined;
    /** Hands a message over; what comes of it is said to `answered`. */
    hand: (sent: Sent) => void;
    onSilent: () => void;
    /** Less or more than the contract's window, for measurements. */
    window?: number | undefined;
  }) {
    this.#clock = parts.clock;
    this.#ackTimeoutMs = parts.ackTimeoutMs;
    const { window = WINDOW_MAX } = parts;
    // 0 is no receive maximum (MQTT 5 3.2.2.3.3); taken at its word it would hold everything back for ever.
    this.#window = Math.max(1, Math.min(window, parts.receiveMaximum ?? window));
    this.#hand = parts.hand;
    this.#onSilent = parts.onSilent;
  }

  /** Hands the message over as soon as the window has a place (QoS 0 needs none); a `late` one lets all others pass. */
  send(message: OutMessage): Promise<Result<void>> {
    return new Promise((settle) => {
      const sent: Sent = { message, settle, due: 0, outcome: undefined, next: undefined };
      if (this.#end !== undefined) settle({ ok: false, fault: this.#end });
      else if (message.qos === 0 || this.#taken < this.#room()) this.#go(sent);
      else if (this.#waiting.length + this.#late.length < WAITING_MAX) {
        (message.late ? this.#late : this.#waiting).push(sent);
      } else {
        const fault = { code: 'upstream.silent', detail: 'too many wait to be sent' } as const;
        settle({ ok: false, fault });
      }
    });
  }

  /**
   * Takes the answer to a message and hands the next one over; whoever waits for this one is told by `tell`. Answers seldom come
   * alone, and what is made of them takes longer than they do: meanwhile the broker has the next messages.
   */
  answered(sent: Sent, outcome: Result<void>): void {
    if (sent.outcome !== undefined || this.#end !== undefined) return;
    sent.outcome = outcome;
    while (this.#oldest?.outcome !== undefined) this.#oldest = this.#oldest.next;
    this.#answered.push(sent);
    if (sent.message.qos === 0) return;
    this.#taken -= 1;
    this.#isOpened = true;
    while (this.#taken < this.#window && this.#next());
  }

  /** Settles what was answered; false where nothing was. */
  tell(): boolean {
    const answered = this.#answered;
    if (answered.length === 0) return false;
    this.#answered = [];
    for (const { settle, outcome } of answered) if (outcome) settle(outcome);
    if (this.#isIdle()) this.#onIdle?.();
    return true;
  }

  /** Settles everything: what was sent with `fault`, what waited with `upstream.offline`, as what comes later. */
  end(fault: Fault): void {
    if (this.#end !== undefined) return;
    this.tell();
    const offline = { code: 'upstream.offline', detail: fault.detail } as const;
    this.#end = offline;
    this.#ended.abort('over');
    for (let sent = this.#oldest; sent !== undefined; sent = sent.next) {
      if (sent.outcome === undefined) sent.settle({ ok: false, fault });
    }
    for (const waiting of [...this.#waiting, ...this.#late]) {
      waiting.settle({ ok: false, fault: offline });
    }
    this.#oldest = undefined;
    this.#waiting.length = 0;
    this.#late.length = 0;
    this.#onIdle?.();
  }

  /** Resolves when nothing is in flight or waiting. One caller. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isIdle()) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** Something waits for a place in the window. */
  isWaiting(): boolean {
    return this.#waiting.length + this.#late.length > 0;
  }

  #go(sent: Sent): void {
    sent.due = this.#clock.monotonicMs() + this.#ackTimeoutMs;
    if (this.#oldest === undefined) this.#oldest = sent;
    else (this.#newest as Sent).next = sent;
    this.#newest = sent;
    if (sent.message.qos === 1) this.#taken += 1;
    this.#hand(sent);
    if (!this.#watching) void this.#watch();
  }

  /** Hands over the next that waits; false where none does. */
  #next(): boolean {
    const next = this.#waiting.shift() ?? this.#late.shift();
    if (next) this.#go(next);
    return next !== undefined;
  }

  #room(): number {
    return this.#isOpened ? this.#window : 1;
  }

  #isIdle(): boolean {
    const { length } = this.#answered;
    return this.#oldest === undefined && length + this.#waiting.length + this.#late.length === 0;
  }

  /** Sleeps until the oldest is due, as long as there is one. */
  async #watch(): Promise<void> {
    this.#watching = true;
    for (let oldest = this.#oldest; oldest !== undefined; oldest = this.#oldest) {
      const left = oldest.due - this.#clock.monotonicMs();
      // Whole milliseconds: a rest too small to move the clock would be slept for ever.
      await this.#clock.sleep(left > 0 ? Math.ceil(left) : LAST_LOOK_MS, this.#ended.signal);
      if (left <= 0 && oldest === this.#oldest) this.#onSilent();
    }
    this.#watching = false;
  }
}
