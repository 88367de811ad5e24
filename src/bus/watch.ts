// One sleeper for many deadlines that are nearly always met, so that a question costs no timer of its own.

import type { Clock } from '../boundaries.ts';

/** A deadline so near is met: virtual time adds up fractions. */
const NEAR_MS = 0.001;

/** A sleep that lasts so much longer than asked for was a stop of the whole process: milliseconds of the wire. */
const STOPPED_MS = 20;
/** What came meanwhile lies unread: it gets so long before anything is given up. */
const LAST_LOOK_MS = 20;

/** Calls `look` when the earliest deadline that `by` named has come, or later. */
export class Watch {
  readonly #clock: Clock;
  readonly #look: () => void;
  #armed = Number.POSITIVE_INFINITY;
  #over = new AbortController();

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Something is due at `deadline`, in monotonic milliseconds of the clock. */
  by(deadline: number): void {
    if (deadline >= this.#armed) return;
    this.#armed = deadline;
    void this.#sleep(deadline, this.#over.signal);
  }

  /** Lets go of every sleeper. */
  stop(): void {
    this.#over.abort('over');
    this.#over = new AbortController();
    this.#armed = Number.POSITIVE_INFINITY;
  }

  async #sleep(deadline: number, over: AbortSignal): Promise<void> {
    await this.#clock.sleep(deadline - this.#clock.monotonicMs(), over);
    if (this.#clock.monotonicMs() - deadline > STOPPED_MS) {
      await this.#clock.sleep(LAST_LOOK_MS, over);
    }
    if (over.aborted || this.#armed !== deadline) return;
    this.#armed = Number.POSITIVE_INFINITY;
    this.#look();
  }
}

/** Whether `deadline` has come at `now`. */
export function isDue(deadline: number, now: number): boolean {
  return deadline - now <= NEAR_MS;
}
