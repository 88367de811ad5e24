// The silences of an RTU line: between two frames, and after something went wrong.

import type { Clock } from '../boundaries.ts';
import { isDue } from './watch.ts';

/** Bits of a character (Modbus over Serial Line 1.02, 2.5.1), whatever the port's settings: never too short so. */
const CHARACTER_BITS = 11;
/** Characters of pause that end a frame (same guide, 2.5.1.1). */
const FRAME_PAUSE_CHARACTERS = 3.5;
/** Above 19200 baud the pause no longer shrinks (same clause). */
const FAST_BAUD = 19_200;
const FAST_PAUSE_MS = 1.75;
/** A line that does not fall silent in so long has a device babbling on it. */
const QUIET_LIMIT_MS = 200;

/** Milliseconds of silence between two frames at so many bits a second. */
export function framePauseMs(baud: number): number {
  return baud > FAST_BAUD ? FAST_PAUSE_MS : charactersMs(FRAME_PAUSE_CHARACTERS, baud);
}

/** Milliseconds that so many characters take. */
export function charactersMs(characters: number, baud: number): number {
  return (characters * CHARACTER_BITS * 1000) / baud;
}

/** When the line was last busy, and how long it must stay silent before it is used again. */
export class LineSilence {
  readonly #clock: Clock;
  readonly #baud: number;
  readonly #pauseMs: number;
  #heardAt = Number.NEGATIVE_INFINITY;
  #sendingUntil = Number.NEGATIVE_INFINITY;
  /** Units that are not asked before; at most 247. */
  readonly #graces = new Map<number, number>();
  #resting: AbortController | undefined;

  constructor(clock: Clock, baud: number) {
    this.#clock = clock;
    this.#baud = baud;
    this.#pauseMs = framePauseMs(baud);
  }

  /** Something arrived. */
  heard(): void {
    this.#heardAt = this.#clock.monotonicMs();
  }

  lastHeard(): number {
    return this.#heardAt;
  }

  /** So many characters are written: they go out from now on. */
  sending(characters: number): void {
    this.#sendingUntil = this.#clock.monotonicMs() + charactersMs(characters, this.#baud);
  }

  /** What was written was answered, so it has gone out. */
  answered(): void {
    this.#sendingUntil = Number.NEGATIVE_INFINITY;
  }

  /** A late answer of `unit` may be under way: it is left alone for so long. */
  spare(unit: number, ms: number): void {
    this.#graces.set(unit, this.#clock.monotonicMs() + ms);
  }

  /** Waits until `unit` may be asked again. */
  async grace(unit: number, signal?: AbortSignal): Promise<void> {
    const until = this.#graces.get(unit) ?? Number.NEGATIVE_INFINITY;
    this.#graces.delete(unit);
    const left = until - this.#clock.monotonicMs();
    if (left > 0) await this.rest(left, signal);
  }

  /** True once the line has been silent for a frame's pause; false when it was not within the limit. */
  async quiet(signal?: AbortSignal): Promise<boolean> {
    const limit = this.#clock.monotonicMs() + QUIET_LIMIT_MS + this.#pauseMs;
    for (;;) {
      const now = this.#clock.monotonicMs();
      const free = Math.max(this.#heardAt, this.#sendingUntil) + this.#pauseMs;
      if (isDue(free, now)) return true;
      if (now >= limit) return false;
      if (signal?.aborted) return true;
      await this.#clock.pause(free - now);
    }
  }

  /** Waits, until `signal` aborts or `end` is called. */
  async rest(ms: number, signal?: AbortSignal): Promise<void> {
    const resting = new AbortController();
    const wake = () => resting.abort('over');
    if (signal?.aborted) return;
    signal?.addEventListener('abort', wake, { once: true });
    this.#resting = resting;
    await this.#clock.sleep(ms, resting.signal);
    this.#resting = undefined;
    signal?.removeEventListener('abort', wake);
  }

  /** The link is gone: who rests is woken. */
  end(): void {
    this.#resting?.abort('over');
  }
}
