// One place's encoder with everything odd that is planned for it: what it shows and who answers at an instant.

import { idLength } from './device.ts';
import type { Saying } from './encodings.ts';
import { type FaultPlan, isDue, type Oddity } from './faults.ts';
import { type MeterDial, type Passing, SimulatedMeter } from './meter.ts';
import { Random } from './random.ts';
import type { ServicePoint } from './street.ts';
import type { Swap } from './truth.ts';

const HOUR_MS = 3_600_000;

/** How finely the passings of an odd dial are noted, in simulated milliseconds. */
const ODD_STEP_MS = 60_000;

/** What goes out, and whose it is. */
export interface Answer extends Saying {
  /** Which body of the place speaks, from 1; null for an encoder of somewhere else, whose register is no truth of this meter. */
  readonly body: number | null;
  /** Simulated epoch ms at which it was latched. */
  readonly at: number;
  /** Unwrapped; `register` modulo 10^digits. */
  readonly count: number;
}

function modulo(count: number, digits: number): number {
  const capacity = 10 ** digits;
  return ((count % capacity) + capacity) % capacity;
}

/** A meter put in where one stood. */
interface LaterBody {
  readonly from: number;
  /** When the next one took its place. */
  readonly to: number;
  readonly id: string | null;
  readonly meter: SimulatedMeter;
}

/** Pure but for whose turn it is at a shared address and for the dice of damage. */
export class Encoder {
  readonly point: ServicePoint;
  readonly #plans: readonly Oddity[];
  /** The second body of the place and those after it, in order of time. */
  readonly #later: readonly LaterBody[];
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
    this.#later = this.#bodies();
  }

  /** Unwrapped count on the dial of the place's first body, with the dial's planned oddities. */
  countAt(at: number): number {
    const { meter } = this.point;
    // What has been taken away stays where it was; its dial has seen its last water.
    const seen = Math.min(at, this.#later[0]?.from ?? at);
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

  /** The counts that a body's dial came to show in (from, to]; to the minute where its dial is odd or not the first. */
  *passings(from: number, to: number, body = 1): Generator<Passing> {
    const odd = this.#plans.some((plan) =>
      ['frozen', 'shifted', 'reverse', 'swapped'].includes(plan.kind),
    );
    if (!odd) {
      yield* this.point.meter.passings(from, to);
      return;
    }
    let count = this.#countOf(body, from);
    for (let at = from; at < to; ) {
      at = Math.min(to, at + ODD_STEP_MS);
      const now = this.#countOf(body, at);
      if (now !== count) yield { at, count: now };
      count = now;
    }
  }

  /** What the body that stands there at `at` shows, and which one that is. */
  standingAt(at: number): { body: number; register: number; count: number } {
    const body = 1 + this.#later.filter(({ from }) => at >= from).length;
    const count = this.#countOf(body, at);
    return { body, count, register: modulo(count, this.#dialOf(body).digits) };
  }

  /** The meters put in where one stood up to `to`, in order of time. */
  swaps(to: number): Swap[] {
    return this.#later.flatMap(({ from: at, id: registerId, meter: { dial, initial } }, i) => {
      const { meter } = this.point.truth;
      const body = i + 2;
      const final = this.#countOf(body - 1, at);
      return at <= to ? [{ meter, body, at, final, registerId, ...dial, initial }] : [];
    });
  }

  /** Meters out of their boxes at the instant of the swap, each of the dial common for so many digits. */
  #bodies(): LaterBody[] {
    const { dial: own } = this.point.meter;
    const plans = this.#plans
      .filter((plan) => plan.kind === 'swapped')
      .sort((a, b) => a.from - b.from);
    return plans.map(({ digits, id, from }, i) => {
      const common = { digits, unit: 'ft3' as const, pow10: digits === 4 ? 2 : -1 };
      const dial: MeterDial = digits === own.digits ? own : common;
      const meter = new SimulatedMeter({ household: this.point.water, dial, initial: 0 });
      const next = plans[i + 1];
      const to = next ? this.#at(next.from) : Number.POSITIVE_INFINITY;
      return { from: this.#at(from), to, id: this.#idOf(id), meter };
    });
  }

  /** Unwrapped count of a body at any instant: it stands still before it is put in and after it is taken away. */
  #countOf(body: number, at: number): number {
    const later = this.#later[body - 2];
    if (!later) return this.countAt(at);
    const seen = Math.min(later.to, Math.max(later.from, at));
    return later.meter.initial + later.meter.countAt(seen) - later.meter.countAt(later.from);
  }

  #dialOf(body: number): MeterDial {
    return (this.#later[body - 2]?.meter ?? this.point.meter).dial;
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
    return { ...this.#ownAt(at), unreadable };
  }

  /** What a device of several channels says of an encoder that it cannot hear. */
  unheardAt(at: number): Answer {
    return { ...this.#ownAt(at), unreadable: true };
  }

  #ownAt(at: number): Answer {
    const standing = this.standingAt(at);
    const later = this.#later[standing.body - 2];
    const id = later ? later.id : this.point.truth.registerId;
    return { at, ...standing, id, dial: this.#dialOf(standing.body) };
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
      body: null,
    };
  }
}
