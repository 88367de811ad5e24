// When a lost link may be tried again: for ever, with pauses that double up to a ceiling.

import type { Clock } from '../boundaries.ts';
import type { Result } from '../domain/fault.ts';
import { good } from '../domain/fault.ts';

/** A cable put back is noticed at once by a person; a port that flaps is not opened more often than this. */
const FIRST_PAUSE_MS = 100;

/** The part of a line or link that is opened. */
export interface Openable {
  isOpen(): boolean;
  open(): Promise<Result<void>>;
}

export interface ReopeningOptions {
  readonly link: Openable;
  /** The wire's clock. */
  readonly clock: Clock;
  /** Ceiling of the pause between two tries. */
  readonly reopenMaxMs: number;
  /** A number from 0 to below 1: collectors that lost one peer together must not come back together. */
  readonly random: () => number;
}

const OPEN: Promise<Result<void>> = Promise.resolve(good(undefined));

/** Keeps one link open. */
export class Reopening {
  readonly #options: ReopeningOptions;
  #pauseMs: number;
  #notBefore = Number.NEGATIVE_INFINITY;
  #last: Result<void> = good(undefined);
  #tries = 0;
  #opening = 0;
  #served = 0;
  #trying: Promise<Result<void>> | undefined;

  constructor(options: ReopeningOptions) {
    this.#options = options;
    this.#pauseMs = this.#first();
  }

  /**
   * Good when the link is open. When it is not, it is tried at most once a pause; in between the last try's fault is
   * the answer at once, so that an absent port costs nobody anything. A good open sets the pause back: a meter that
   * then stays silent says nothing about the link to the others.
   */
  ensure(): Promise<Result<void>> {
    if (this.#options.link.isOpen()) return OPEN;
    // Several reads may want it at once; there is one try.
    this.#trying ??= this.#try().finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  /** Counts good openings, to tell what came through which. */
  get opening(): number {
    return this.#opening;
  }

  /** An answer came. Some gateways close after each, or after a while, so the link may be opened at once when it is lost. */
  served(): void {
    this.#served = this.#opening;
    this.rested();
  }

  /** Whether an answer came through that opening, or a later one. */
  hasServed(opening: number): boolean {
    return this.#served >= opening;
  }

  /** Whether the link is closed and will not be tried yet. */
  isPausing(): boolean {
    return !this.#options.link.isOpen() && this.#options.clock.monotonicMs() < this.#notBefore;
  }

  /** The link was closed on purpose: it may be opened at once. */
  rested(): void {
    if (this.#last.ok) this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  async #try(): Promise<Result<void>> {
    const { link, clock } = this.#options;
    if (clock.monotonicMs() < this.#notBefore) {
      return this.#last.ok
        ? { ok: false, fault: { code: 'port.absent', detail: 'lost as soon as it was opened' } }
        : this.#last;
    }
    this.#tries += 1;
    this.#last = await link.open();
    if (this.#last.ok) {
      this.#pauseMs = this.#first();
      this.#tries = 0;
      this.#opening += 1;
    }
    // Counted from the try's end: a peer that takes long to refuse would else be tried without pause.
    this.#notBefore = clock.monotonicMs() + this.#pause();
    return this.#last;
  }

  /** What the link is doing, in words for `status`. */
  state(): { open: boolean; detail: string } {
    if (this.#options.link.isOpen()) return { open: true, detail: 'open' };
    if (this.#last.ok) return { open: false, detail: 'closed, to be opened at the next read' };
    const { code, detail } = this.#last.fault;
    return { open: false, detail: `${code}: ${detail} (tried ${this.#tries} times)` };
  }

  /** Between half of the pause and the whole; the next is twice as long. */
  #pause(): number {
    const { reopenMaxMs, random } = this.#options;
    const pause = this.#pauseMs;
    if (this.#last.ok) return pause;
    this.#pauseMs = Math.min(pause * 2, reopenMaxMs);
    return pause * (0.5 + random() / 2);
  }

  #first(): number {
    return Math.min(FIRST_PAUSE_MS, this.#options.reopenMaxMs);
  }
}
