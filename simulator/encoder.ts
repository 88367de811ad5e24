// One place's encoder with everything odd that is planned for it: what it shows and who answers at an instant.

import { idLength } from './device.ts';
import type { Saying } from './encodings.ts';
import { type FaultPlan, isDue, type Oddity } from './faults.ts';
import { type MeterDial, type Passing, SimulatedMeter } from './meter.ts';
import { Random } from './random.ts';
import type { ServicePoint } from './street.ts';

const HOUR_MS = 3_600_000;

/** How finely the passings of an odd dial are noted, in simulated milliseconds. */
const ODD_STEP_MS = 60_000;

/** What goes out, and whose it is. */
export interface Answer extends Saying {
  /** True when the place's own encoder speaks; another's register is no truth of this meter. */
  readonly own: boolean;
  /** Simulated epoch ms at which it was latched. */
  readonly at: number;
  /** Unwrapped; `register` modulo 10^digits. */
  readonly count: number;
}

function modulo(count: number, digits: number): number {
  const capacity = 10 ** digits;
  return ((count % capacity) + capacity) % capacity;
}

/** Pure but for whose turn it is at a shared address and for the dice of damage. */
export class Encoder {
  readonly point: ServicePoint;
  readonly #plans: readonly Oddity[];
  readonly #start: number;
  readonly #dice: Random;
  #strangersTurn = false;

  /** `start` is the simulated epoch ms from which the hours of the plans count. */
  constructor(point: ServicePoint, plans: readonly FaultPlan[], start: number) {
    this.point = point;
    this.#start = start;
    const { meter } = point.truth;
    this.#plans = plans.filter(
      (plan): plan is Oddity => plan.kind !== 'unplug' && plan.meter === meter,
    );
    this.#dice = new Random(`damage ${meter} ${point.bodySerial}`);
  }

  /** Unwrapped count on the place's own dial, with the dial's planned oddities. */
  countAt(at: number): number {
    const { meter } = this.point;
    // What has been taken away stays where it was; its dial has seen its last water.
    const swap = this.#plans.find((plan) => plan.kind === 'swapped');
    const seen = swap ? Math.min(at, this.#at(swap.from)) : at;
    let count = meter.countAt(seen);
    for (const plan of this.#plans) {
      const from = this.#at(plan.from);
      const to = this.#at(plan.to);
      const until = Math.min(seen, to);
      if (seen < from) continue;
      if (plan.kind === 'shifted' && seen < to) count += plan.by;
      if (plan.kind !== 'frozen' && plan.kind !== 'reverse') continue;
      count -= meter.countAt(until) - meter.countAt(from);
      if (plan.kind === 'reverse') count -= Math.floor((plan.perHour * (until - from)) / HOUR_MS);
    }
    return count;
  }

  registerAt(at: number): number {
    return modulo(this.countAt(at), this.point.truth.digits);
  }

  /** The counts that the own dial came to show in (from, to]; to the minute where its dial is odd. */
  *passings(from: number, to: number): Generator<Passing> {
    const odd = this.#plans.some((plan) =>
      ['frozen', 'shifted', 'reverse', 'swapped'].includes(plan.kind),
    );
    if (!odd) {
      yield* this.point.meter.passings(from, to);
      return;
    }
    let count = this.countAt(from);
    for (let at = from; at < to; ) {
      at = Math.min(to, at + ODD_STEP_MS);
      const now = this.countAt(at);
      if (now !== count) yield { at, count: now };
      count = now;
    }
  }

  /** The plan of a kind that is in force. */
  #due<K extends Oddity['kind']>(kind: K, at: number): (Oddity & { kind: K }) | undefined {
    const hours = (at - this.#start) / HOUR_MS;
    return this.#plans.find(
      (plan): plan is Oddity & { kind: K } => plan.kind === kind && isDue(plan, hours),
    );
  }

  #at(hours: number): number {
    return this.#start + hours * HOUR_MS;
  }

  /** What the encoder at this place says at `at`; null while it is silent. */
  answerAt(at: number): Answer | null {
    if (this.#due('silent', at)) return null;
    const unreadable = this.#due('unreadable', at) !== undefined;
    const stranger =
      this.#due('stranger', at) ?? (this.#strangersTurn ? this.#due('shared', at) : undefined);
    if (stranger) return { ...this.#stranger(stranger.id, at), unreadable };
    const swap = this.#plans.find((plan) => plan.kind === 'swapped' && at >= this.#at(plan.from));
    if (swap?.kind === 'swapped') return { ...this.#swapped(swap, at), unreadable };
    const { truth } = this.point;
    const dial: MeterDial = this.point.meter.dial;
    const count = this.countAt(at);
    const register = modulo(count, dial.digits);
    return { at, register, count, id: truth.registerId, dial, own: true, unreadable };
  }

  /** The register has gone out: at a shared address the other one is next. */
  spoken(): void {
    this.#strangersTurn = !this.#strangersTurn;
  }

  /** Draws whether this answer is damaged. */
  isDamaged(at: number): boolean {
    const plan = this.#due('damaged', at);
    return plan !== undefined && this.#dice.chance(plan.share);
  }

  /** `bytes` with one of the lower seven bits of one byte turned over, as noise does on a line of text. */
  damage(bytes: Uint8Array): Buffer {
    const damaged = Buffer.from(bytes);
    const place = this.#dice.whole(0, damaged.length - 1);
    damaged[place] = (damaged[place] as number) ^ (1 << this.#dice.whole(0, 6));
    return damaged;
  }

  #idOf(id: string): string | null {
    const length = idLength(this.point.device);
    return length === 0 ? null : id.padStart(length, '0');
  }

  /** Some other encoder of the same make, that counts once an hour. */
  #stranger(id: string, at: number): Answer {
    const { dial } = this.point.meter;
    const drawn = new Random(`stranger ${id}`).whole(0, 0.9 * 10 ** dial.digits);
    const count = drawn + Math.floor((at - this.#start) / HOUR_MS);
    return {
      at,
      register: modulo(count, dial.digits),
      count,
      id: this.#idOf(id),
      dial,
      own: false,
    };
  }

  /** A meter out of its box at the instant of the swap, of the dial common for so many digits. */
  #swapped({ digits, id, from }: { digits: number; id: string; from: number }, at: number): Answer {
    const own = this.point.meter.dial;
    const dial =
      digits === own.digits ? own : { digits, unit: 'ft3' as const, pow10: digits === 4 ? 2 : -1 };
    const meter = new SimulatedMeter({ household: this.point.water, dial, initial: 0 });
    const count = meter.countAt(at) - meter.countAt(this.#at(from));
    return { at, register: modulo(count, digits), count, id: this.#idOf(id), dial, own: false };
  }
}
