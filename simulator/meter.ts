// A simulated meter: turns the water behind it into counts, and tells when each count passed.

import type { Household } from './household.ts';

/** US gallons in one of the unit. 1 gal is 231 in3, 1 ft3 is 1728 in3, 1 in is 25.4 mm: all exact. */
export const GALLONS = {
  gal: 1,
  ft3: 1728 / 231,
  L: 1 / 3.785411784,
  m3: 1000 / 3.785411784,
} as const;

export type MeterUnit = keyof typeof GALLONS;

/** What stands on the dial's face: one count is 10^`pow10` `unit`, the dial wraps at 10^`digits` counts. */
export interface MeterDial {
  readonly digits: number;
  readonly unit: MeterUnit;
  readonly pow10: number;
}

export interface SimulatedMeterOptions {
  readonly household: Household;
  readonly dial: MeterDial;
  /** Unwrapped count at the household's start. */
  readonly initial: number;
}

/** One count and the instant (epoch ms) at which the dial first showed it. */
export interface Passing {
  readonly at: number;
  readonly count: number;
}

const HOUR_MS = 3_600_000;

/** An absolute encoder in front of a household. Pure; any instant may be asked for, in any order. */
export class SimulatedMeter {
  readonly dial: MeterDial;
  readonly initial: number;
  readonly #household: Household;
  readonly #gallonsPerCount: number;
  readonly #capacity: number;

  constructor(options: SimulatedMeterOptions) {
    this.dial = options.dial;
    this.initial = options.initial;
    this.#household = options.household;
    this.#gallonsPerCount = GALLONS[options.dial.unit] * 10 ** options.dial.pow10;
    this.#capacity = 10 ** options.dial.digits;
  }

  /** The unwrapped count at `at` (epoch ms): `initial` plus the whole counts that have passed. */
  countAt(at: number): number {
    return this.initial + Math.floor(this.#household.gallonsAt(at) / this.#gallonsPerCount);
  }

  /** What the dial shows at `at`, 0 .. 10^digits - 1. */
  registerAt(at: number): number {
    return this.countAt(at) % this.#capacity;
  }

  /** Each count that passed in (from, to], with the first millisecond at which it showed; in order. */
  *passings(from: number, to: number): Generator<Passing> {
    let seen = this.countAt(from);
    let begin = from;
    while (begin < to) {
      const end = Math.min(to, begin + HOUR_MS);
      const last = this.countAt(end);
      for (let low = begin; seen < last; ) {
        const at = this.#firstShowing(seen + 1, low, end);
        seen += 1;
        low = at - 1;
        yield { at, count: seen };
      }
      begin = end;
    }
  }

  /** The first millisecond in (low, high] at which the count is reached; it is known to be reached at `high`. */
  #firstShowing(count: number, low: number, high: number): number {
    let before = low;
    let reached = high;
    while (reached - before > 1) {
      const middle = Math.floor((before + reached) / 2);
      if (this.countAt(middle) >= count) reached = middle;
      else before = middle;
    }
    return reached;
  }
}
