// The door of a bus for reads that a person asks for: each is answered once, at its deadline at the latest.

import type { AskedOutcome, Clock } from '../boundaries.ts';
import type { Fault } from '../domain/fault.ts';
import type { Counts, EpochMs } from '../domain/units.ts';

/** The polling behind the door. */
interface Polling {
  /** Has the meter read as soon as it may be. */
  ask(meter: string): void;
  /** Nobody waits for it any more. */
  forget(meter: string): void;
  /** When its device may be asked. */
  freeAt(meter: string): EpochMs;
}

export class AskedReads {
  readonly #clock: Clock;
  /** By meter, who is to be answered. */
  readonly #waiting = new Map<string, Set<(outcome: AskedOutcome) => void>>();
  #polling: Polling | null = null;

  /** `clock` is the schedule's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on this polling answers; null: none does, and who waits is told so. */
  attach(polling: Polling | null): void {
    this.#polling = polling;
    if (polling !== null) return;
    for (const meter of this.#waiting.keys()) this.settle(meter, STOPPED);
  }

  /**
   * The dial, read now; the fault that kept it away; or, where the device or the hour's edge does not let it be asked
   * within `withinMs` of the wire, when it may be. Several who ask for one meter share its read. Never rejects.
   */
  async ask(meter: string, withinMs: number): Promise<AskedOutcome> {
    const polling = this.#polling;
    if (polling === null) return { ok: false, fault: STOPPED };
    const ms = withinMs * this.#clock.speed;
    const freeAt = polling.freeAt(meter);
    if (freeAt > this.#clock.now() + ms) return { ok: false, busyUntil: freeAt };
    const over = new AbortController();
    const answer = new Promise<AskedOutcome>((resolve) => {
      const here = this.#waiting.get(meter) ?? new Set();
      this.#waiting.set(meter, here.add(resolve));
      void this.#clock.sleep(ms, over.signal).then(() => {
        here.delete(resolve);
        if (here.size === 0 && this.#waiting.get(meter) === here) {
          this.#waiting.delete(meter);
          this.#polling?.forget(meter);
        }
        resolve({ ok: false, busyUntil: this.#polling?.freeAt(meter) ?? this.#clock.now() });
      });
      polling.ask(meter);
    });
    return answer.finally(() => over.abort('answered'));
  }

  /** Whether anybody waits for this meter. */
  isAsked(meter: string): boolean {
    return this.#waiting.has(meter);
  }

  /** Tells all who wait for this meter. */
  settle(meter: string, outcome: Counts | Fault): void {
    const here = this.#waiting.get(meter);
    if (!here) return;
    this.#waiting.delete(meter);
    const told: AskedOutcome =
      typeof outcome === 'number' ? { ok: true, value: outcome } : { ok: false, fault: outcome };
    for (const answer of here) answer(told);
  }
}

const STOPPED: Fault = { code: 'aborted', detail: 'the collector does not poll' };
