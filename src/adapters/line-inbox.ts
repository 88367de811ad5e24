// The receiving half of every line: frames that came, the one owner waiting for the next, and what ends the wait.

import type { Clock } from '../boundaries.ts';
import type { Framer, LineItem } from '../codec/line-framer.ts';
import { faulty, good, type Result } from '../domain/fault.ts';

/** Frames kept for an owner who is not listening; the oldest go first, as the newest register is the one wanted. */
const WAITING_CAP = 8;
/**
 * A frame's own bytes never pause so long: a character at 300 baud takes 33 ms, a bridge forwards within some tens.
 * Bytes that lie still for longer at a drain were noise, not the beginning of a frame.
 */
const FRAME_PAUSE_MS = 100;

type Frame = Result<Uint8Array>;

/** Keeps Line's promises on `receive` and `drain` over any source of bytes. */
export class LineInbox {
  readonly #clock: Clock;
  readonly #framer: Framer;
  #open = false;
  #waiting: Frame[] = [];
  #lastByteAt = 0;
  #settle: ((frame: Frame) => void) | undefined;
  /** What may end the wait under way. One listener a signal serves all waits: there is one at every poll. */
  #signal: AbortSignal | undefined;
  readonly #heard = new WeakSet<AbortSignal>();

  constructor(clock: Clock, framer: Framer) {
    this.#clock = clock;
    this.#framer = framer;
  }

  /** A new link begins: nothing of the last one remains. */
  opened(): void {
    this.#open = true;
    this.#waiting = [];
    this.#framer.forget(false);
  }

  /** The link is gone: whoever waits hears it at once, and a torn tail is dropped. */
  lost(detail: string): void {
    this.#open = false;
    this.#framer.forget(false);
    this.#settle?.(faulty('port.absent', detail));
  }

  /** Bytes arrived. */
  put(bytes: Uint8Array): void {
    const now = this.#clock.monotonicMs();
    // What a drain left under way has ended, or was nothing: this is the next answer.
    if (now - this.#lastByteAt >= FRAME_PAUSE_MS) this.#framer.paused();
    this.#lastByteAt = now;
    for (const item of this.#framer.push(bytes)) this.#deliver(item);
  }

  drain(): void {
    const pause = this.#clock.monotonicMs() - this.#lastByteAt;
    this.#waiting = [];
    this.#framer.forget(pause < FRAME_PAUSE_MS);
  }

  /** As Line.receive. Throws when two wait at once, which is a bug of the owner. */
  receive(timeoutMs: number, signal?: AbortSignal): Promise<Frame> {
    if (this.#settle !== undefined) throw new Error('two owners wait for one line');
    const first = this.#waiting.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (!this.#open) return Promise.resolve(faulty('port.absent', 'the line is not open'));
    if (signal?.aborted) return Promise.resolve(faulty('aborted', 'given up'));
    return this.#wait(timeoutMs, signal);
  }

  #wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<Frame> {
    return new Promise((resolve) => {
      const settle = (frame: Frame) => {
        if (this.#settle !== settle) return;
        this.#settle = undefined;
        this.#signal = undefined;
        resolve(frame);
      };
      this.#settle = settle;
      this.#signal = signal;
      if (signal) this.#hear(signal);
      // Left to run out: it settles nothing once a frame has come, and costs less than calling it off.
      void this.#clock.sleep(timeoutMs).then(() => settle(this.#silence(timeoutMs)));
    });
  }

  #hear(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    const giveUp = () => {
      if (this.#signal === signal) this.#settle?.(faulty('aborted', 'given up'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
  }

  #silence(givenMs: number): Frame {
    const timeoutMs = Math.round(givenMs);
    return this.#framer.isPartial()
      ? faulty('line.torn', `part of a frame and no end of it in ${timeoutMs} ms`)
      : faulty('line.silent', `no answer in ${timeoutMs} ms`);
  }

  #deliver(item: LineItem): void {
    const frame: Frame =
      item === 'overlong'
        ? faulty('line.overlong', 'an endless line: wrong speed, or no meter')
        : good(item.frame);
    if (this.#settle !== undefined) {
      this.#settle(frame);
      return;
    }
    this.#waiting.push(frame);
    if (this.#waiting.length > WAITING_CAP) this.#waiting.shift();
  }
}
