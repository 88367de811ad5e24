// Publishes handed to a broker and not yet answered: a window, an age limit, and one end for all of them.

import type { Clock } from '../boundaries.ts';
import type { Fault, Result } from '../domain/fault.ts';

/** Un-acknowledged QoS 1 messages on one link (rule A4); a broker may allow fewer, never more. */
const WINDOW_MAX = 20;
/** Publishes that may wait for a place in the window. Callers keep a window of their own; a thousand is a bug's worth. */
const WAITING_MAX = 1_000;
/** After a stop of the whole process the acks lie unread in the socket: one more look before the link is condemned. */
const LAST_LOOK_MS = 50;

export type Answer = (outcome: Result<void>) => void;

interface Sent {
  readonly acknowledged: boolean;
  readonly due: number;
  readonly settle: Answer;
}

interface Waiting {
  go(): void;
  stop(fault: Fault): void;
}

/**
 * The in-flight publishes of one link. Each settles exactly once: by its answer, or by `end`.
 * `onSilent` is called when one has waited `ackTimeoutMs` of the wire for its answer.
 */
export class InFlight {
  readonly #clock: Clock;
  readonly #ackTimeoutMs: number;
  readonly #onSilent: () => void;
  readonly #window: number;
  readonly #sent = new Set<Sent>();
  readonly #waiting: Waiting[] = [];
  /** They wait for all others. */
  readonly #late: Waiting[] = [];
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
    onSilent: () => void;
    /** Less or more than the contract's window, for measurements. */
    window?: number | undefined;
  }) {
    this.#clock = parts.clock;
    this.#ackTimeoutMs = parts.ackTimeoutMs;
    const { window = WINDOW_MAX } = parts;
    // 0 is no receive maximum (MQTT 5 3.2.2.3.3); taken at its word it would hold everything back for ever.
    this.#window = Math.max(1, Math.min(window, parts.receiveMaximum ?? window));
    this.#onSilent = parts.onSilent;
  }

  /** Hands the message over as soon as the window has a place (QoS 0 needs none); a `late` one lets all others pass. */
  send(acknowledged: boolean, hand: (answer: Answer) => void, late = false): Promise<Result<void>> {
    return new Promise((settle) => {
      const go = () => this.#hand(acknowledged, settle, hand);
      if (this.#end !== undefined) settle({ ok: false, fault: this.#end });
      else if (!acknowledged || this.#taken < this.#room()) go();
      else if (this.#waiting.length + this.#late.length >= WAITING_MAX) {
        settle({
          ok: false,
          fault: { code: 'upstream.silent', detail: 'too many wait to be sent' },
        });
      } else {
        const waiting = late ? this.#late : this.#waiting;
        waiting.push({ go, stop: (fault) => settle({ ok: false, fault }) });
      }
    });
  }

  /** Settles everything: what was sent with `fault`, what waited with `upstream.offline`, as what comes later. */
  end(fault: Fault): void {
    if (this.#end !== undefined) return;
    const offline = { code: 'upstream.offline', detail: fault.detail } as const;
    this.#end = offline;
    this.#ended.abort('over');
    for (const sent of this.#sent) sent.settle({ ok: false, fault });
    for (const waiting of [...this.#waiting, ...this.#late]) waiting.stop(offline);
    this.#sent.clear();
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

  #hand(acknowledged: boolean, settle: Answer, hand: (answer: Answer) => void): void {
    const due = this.#clock.monotonicMs() + this.#ackTimeoutMs;
    const sent: Sent = { acknowledged, due, settle };
    this.#sent.add(sent);
    if (acknowledged) this.#taken += 1;
    hand((outcome) => this.#answered(sent, outcome));
    if (!this.#watching) void this.#watch();
  }

  #answered(sent: Sent, outcome: Result<void>): void {
    if (!this.#sent.delete(sent)) return;
    sent.settle(outcome);
    if (sent.acknowledged) {
      this.#taken -= 1;
      this.#isOpened = true;
      while (this.#taken < this.#window && this.#next());
    }
    if (this.#isIdle()) this.#onIdle?.();
  }

  /** Hands over the next that waits; false where none does. */
  #next(): boolean {
    const next = this.#waiting.shift() ?? this.#late.shift();
    next?.go();
    return next !== undefined;
  }

  #room(): number {
    return this.#isOpened ? this.#window : 1;
  }

  #isIdle(): boolean {
    return this.#sent.size + this.#waiting.length + this.#late.length === 0;
  }

  /** Sleeps until the oldest is due, as long as there is one; a set keeps the order in which they were sent. */
  async #watch(): Promise<void> {
    this.#watching = true;
    for (let [oldest] = this.#sent; oldest !== undefined; [oldest] = this.#sent) {
      const left = oldest.due - this.#clock.monotonicMs();
      // Whole milliseconds: a rest too small to move the clock would be slept for ever.
      await this.#clock.sleep(left > 0 ? Math.ceil(left) : LAST_LOOK_MS, this.#ended.signal);
      if (left <= 0 && this.#sent.has(oldest)) this.#onSilent();
    }
    this.#watching = false;
  }
}
