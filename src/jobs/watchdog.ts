// Tells the supervisor that the collector lives: by what it does, never by a timer of its own.

import type { Clock, Log, Supervisor } from '../boundaries.ts';

/** A bus loop comes round every five minutes at the latest, and after every read. */
const QUIET_MAX_MS = 11 * 60_000;

/** A group that is not written after so long is in a disk call that does not return; a disk that refuses returns. */
const WRITE_MAX_MS = 10 * 60_000;

/** Signs are passed on so often within the time in which one is wanted. */
const SIGNS_WITHIN = 4;

export interface WatchdogParts {
  readonly supervisor: Supervisor;
  /** The wire's. */
  readonly clock: Clock;
  readonly log: Log;
  /** Loops that must come round. */
  readonly loops: readonly string[];
  /** How it fares, in one line. */
  readonly status: () => string;
}

/** Gathers signs of life: a sign of one part is passed on only while no other part has gone silent. */
export class Watchdog {
  readonly #parts: WatchdogParts;
  readonly #turned: Map<string, number>;
  #writingSince: number | null = null;
  #fedAt = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(parts: WatchdogParts) {
    const now = parts.clock.monotonicMs();
    this.#parts = parts;
    this.#turned = new Map(parts.loops.map((loop) => [loop, now]));
  }

  /** The loop came round. */
  turned(loop: string): void {
    this.#turned.set(loop, this.#parts.clock.monotonicMs());
    this.#feed();
  }

  /** The journal begins to write, or has written or been refused. */
  writing(isWriting: boolean): void {
    this.#writingSince = isWriting ? this.#parts.clock.monotonicMs() : null;
    if (!isWriting) this.#feed();
  }

  /** What has gone silent, in words; null while nothing has. */
  silent(): string | null {
    const now = this.#parts.clock.monotonicMs();
    for (const [loop, at] of this.#turned) {
      if (now - at > QUIET_MAX_MS) return `${loop} has not come round for ${minutes(now - at)}`;
    }
    const since = this.#writingSince;
    const hangs = since !== null && now - since > WRITE_MAX_MS;
    return hangs ? `the journal has been writing for ${minutes(now - since)}` : null;
  }

  #feed(): void {
    const { supervisor, clock, log, status } = this.#parts;
    const { watchdogMs } = supervisor;
    const now = clock.monotonicMs();
    if (watchdogMs === null || now - this.#fedAt < watchdogMs / SIGNS_WITHIN) return;
    const silent = this.silent();
    if (silent !== null) {
      if (!this.#isTold) log.error({ silent }, 'no sign of life is given any more');
      this.#isTold = true;
      return;
    }
    this.#isTold = false;
    this.#fedAt = now;
    void supervisor.alive(status());
  }
}

function minutes(ms: number): string {
  return `${Math.floor(ms / 60_000)} min`;
}
