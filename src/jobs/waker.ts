// A sleep that a bell ends: one timer at a time for a loop that is woken far more often than its time runs out.

import type { Clock } from '../boundaries.ts';

export class Waker {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | null = null;
  /** Monotonic times at which the sleep that was begun ends; a later one need not be begun. */
  #ends = Number.POSITIVE_INFINITY;
  /** Ends that sleep; another one once it has. */
  #sleeping = new AbortController();

  /** Sleeps on `clock`, until `signal` aborts at the latest. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    const end = () => {
      this.#sleeping.abort('over');
      this.#wake?.();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  /** Wakes who sleeps, or the next who would. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves after `ms` of the clock at the latest: earlier when rung, and when an earlier sleep's time is over. */
  async sleep(ms: number): Promise<void> {
    if (!this.#rung && !this.#signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#begin(ms);
      await woken;
      this.#wake = null;
    }
    this.#rung = false;
  }

  #begin(ms: number): void {
    const ends = this.#clock.monotonicMs() + Math.max(1, ms);
    if (ends >= this.#ends) return;
    // Left to itself each long sleep that a shorter one overtakes would last: thousands of them on a bus that is polled each second.
    if (this.#ends < Number.POSITIVE_INFINITY) {
      this.#sleeping.abort('overtaken');
      this.#sleeping = new AbortController();
    }
    this.#ends = ends;
    const { signal } = this.#sleeping;
    void this.#clock.sleep(Math.max(1, ms), signal).then(() => {
      if (signal.aborted) return;
      this.#ends = Number.POSITIVE_INFINITY;
      this.#wake?.();
    });
  }
}
