// A sleep that a bell ends: a few timers at a time for a loop that is woken far more often than its time runs out.

import type { Clock } from '../boundaries.ts';

/** So many sleeps, each shorter than the one before, may be under way. */
const SLEEPS_MAX = 4;

export class Waker {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | null = null;
  /** Monotonic times at which the sleeps under way end, the soonest last. */
  #ends: number[] = [];
  /** Ends them all; another one once it has. */
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

  /**
   * A longer sleep than this goes on beneath it: a loop that sleeps now for minutes and now for a second would else begin the
   * long one anew each time.
   */
  #begin(ms: number): void {
    const ends = this.#clock.monotonicMs() + Math.max(1, ms);
    if (ends >= (this.#ends.at(-1) ?? Number.POSITIVE_INFINITY)) return;
    if (this.#ends.length === SLEEPS_MAX) this.#overtake();
    this.#ends.push(ends);
    const { signal } = this.#sleeping;
    void this.#clock.sleep(Math.max(1, ms), signal).then(() => {
      if (signal.aborted) return;
      this.#ends.splice(this.#ends.indexOf(ends), 1);
      this.#wake?.();
    });
  }

  /** Left to themselves thousands of ever shorter sleeps would last. */
  #overtake(): void {
    this.#sleeping.abort('overtaken');
    this.#sleeping = new AbortController();
    this.#ends = [];
  }
}
