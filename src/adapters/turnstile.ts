// The way in for requests: one in a turn of the event loop and so many a second, so that no flood of them holds up a poll.

import type { Clock } from '../boundaries.ts';

/** A page is some ten requests. Between two of them the meters have their turn; this is so that a flood does not cost all power there is. */
const PER_SECOND = 2_000;
const AT_ONCE = 200;
/** Connections are bounded, and each has one request here; this is for the mistake in that. */
const WAITING_MAX = 256;

export class Turnstile {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #tokens = AT_ONCE;
  #at: number;
  #turning = false;

  /** `clock` is the wire's. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonicMs();
  }

  /** Calls `go` when it is its turn; false when too many wait. */
  enter(go: () => void): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    this.#waiting.push(go);
    if (!this.#turning) {
      this.#turning = true;
      setImmediate(() => void this.#turn());
    }
    return true;
  }

  async #turn(): Promise<void> {
    this.#fill();
    if (this.#tokens < 1) {
      await this.#clock.sleep(Math.ceil((1 - this.#tokens) * (1000 / PER_SECOND)));
      this.#fill();
    }
    const go = this.#waiting.shift();
    if (go) {
      this.#tokens -= 1;
      go();
    }
    if (this.#waiting.length > 0) setImmediate(() => void this.#turn());
    else this.#turning = false;
  }

  #fill(): void {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(
      AT_ONCE,
      this.#tokens + (Math.max(0, now - this.#at) * PER_SECOND) / 1000,
    );
    this.#at = now;
  }
}
