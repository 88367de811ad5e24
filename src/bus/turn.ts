// One meter's turn on a bus: one at a time, a second try where that helps and costs little, and an end at closing.

import type { Clock } from '../boundaries.ts';
import type { Result } from '../domain/fault.ts';
import { FAULTS, faulty } from '../domain/fault.ts';

/** The turns of one bus. */
export class Turns {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #closed = false;
  #current: AbortController | undefined;
  /** The signal of the turn under way. One listener a signal serves all its turns: a bus is asked at every poll. */
  #signal: AbortSignal | undefined;
  readonly #heard = new WeakSet<AbortSignal>();
  /** One controller serves all turns until one is given up. */
  #spare = new AbortController();

  /** `clock` is the wire's; `timeoutMs` is how long one meter may stay silent. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The outcome of `attempt`, made a second time when its fault says that may help at once and it came within half of
   * the time-out. So a silent meter is never asked twice: it costs its own time-out and no more. `aborted` when `signal`
   * or `close` ends the turn. Throws when a turn is already under way, which is a bug of the owner.
   */
  async take<T>(
    attempt: (signal: AbortSignal) => Promise<Result<T>>,
    minPollS: number,
    signal?: AbortSignal,
  ): Promise<Result<T>> {
    if (this.#current !== undefined) throw new Error('a bus is one conversation at a time');
    if (this.#closed || signal?.aborted) return faulty('aborted', 'given up');
    // Not AbortSignal.any: it leaves a trace of each turn on a signal that lives as long as the daemon.
    const current = this.#spare.signal.aborted ? new AbortController() : this.#spare;
    if (signal) this.#hear(signal);
    this.#signal = signal;
    this.#spare = current;
    this.#current = current;
    try {
      const began = this.#clock.monotonicMs();
      const first = await attempt(current.signal);
      const took = this.#clock.monotonicMs() - began;
      const again =
        !current.signal.aborted && minPollS === 0 && asksAgain(first, took, this.#timeoutMs);
      return again ? await attempt(current.signal) : first;
    } finally {
      this.#current = undefined;
      this.#signal = undefined;
    }
  }

  #hear(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    const end = () => {
      if (this.#signal === signal) this.#current?.abort('over');
    };
    signal.addEventListener('abort', end, { once: true });
  }

  /** Ends the turn under way; none begins after this. */
  close(): void {
    this.#closed = true;
    this.#current?.abort('over');
  }
}

/** Whether a second try may help at once, and the first cost little: at most half of the time-out. */
export function asksAgain(outcome: Result<unknown>, tookMs: number, timeoutMs: number): boolean {
  return !outcome.ok && FAULTS[outcome.fault.code] === 'now' && tookMs <= timeoutMs / 2;
}
