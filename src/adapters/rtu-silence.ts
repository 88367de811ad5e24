// The silence of an RTU line: pauses between frames, and answers that units still owe.

import type { Clock } from '../boundaries.ts';

/** Characters of pause that end a frame (Modbus serial line 2.5.1.1), of 11 bits each. */
const FRAME_PAUSE_BITS = 3.5 * 11;
/** Above 19200 baud the pause no longer shrinks (same clause). */
const LEAST_PAUSE_MS = 1.75;
/** Unit, function, exception, checksum: no answer is shorter. */
export const LEAST_FRAME = 5;
/** A line that does not fall silent in so long has a device babbling on it. */
export const QUIET_LIMIT_MS = 200;

/**
 * An RTU answer does not say which question it answers: only its unit, function and length are checked. So a unit that
 * was asked and did not answer is remembered as owing one, and its next answer is only believed when no second follows.
 */
export class RtuSilence {
  readonly #clock: Clock;
  readonly #pauseMs: number;
  #heardAt = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  /** Bytes heard when the last question was settled. */
  #settledAt = 0;
  /** Units that owe an answer, and until when it may be expected in silence. At most 247 units. */
  readonly #debts = new Map<number, number>();

  constructor(clock: Clock, baud: number) {
    this.#clock = clock;
    this.#pauseMs = Math.max(LEAST_PAUSE_MS, (FRAME_PAUSE_BITS * 1000) / baud);
  }

  /** So many bytes arrived. */
  heard(count: number): void {
    this.#bytes += count;
    this.#heardAt = this.#clock.monotonicMs();
  }

  /** Bytes heard so far, to compare with later. */
  bytes(): number {
    return this.#bytes;
  }

  /**
   * The question to `unit` was given up without its answer. `graceMs`: how much longer than its time-out the answer
   * may take; 0 where something was answered in time, so that what else there is comes in time too.
   */
  owes(unit: number, graceMs: number): void {
    this.#debts.set(unit, this.#clock.monotonicMs() + graceMs);
  }

  /** A question is settled: what is heard from now on was not asked for. */
  asked(): void {
    this.#settledAt = this.#bytes;
  }

  /** True when enough for an answer came in while nothing was asked. */
  wasDisturbed(): boolean {
    return this.#bytes - this.#settledAt >= LEAST_FRAME;
  }

  /** Nothing is owed any more by `unit`. */
  settled(unit: number): void {
    this.#debts.delete(unit);
  }

  isOwing(unit: number): boolean {
    return this.#debts.has(unit);
  }

  /** Waits out the grace of `unit`; its late answer falls into that time and is dropped. */
  async grace(unit: number, signal?: AbortSignal): Promise<void> {
    const left = (this.#debts.get(unit) ?? 0) - this.#clock.monotonicMs();
    if (left > 0) await this.#clock.sleep(left, signal);
  }

  /** True once the line has been silent for a frame's pause; false when it was not within the limit. */
  async quiet(signal?: AbortSignal): Promise<boolean> {
    const limit = this.#clock.monotonicMs() + QUIET_LIMIT_MS;
    for (;;) {
      const now = this.#clock.monotonicMs();
      const left = this.#heardAt + this.#pauseMs - now;
      if (left <= 0) return true;
      if (now >= limit || signal?.aborted) return false;
      await this.#clock.sleep(left, signal);
    }
  }
}
