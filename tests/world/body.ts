// A meter's body with its dial, which turns as the water does unless it is made to stand still, run back or jump; and what it served.

import { HOUR_MS } from '../../simulator/entries.ts';
import type { Household } from '../../simulator/household.ts';
import { type MeterDial, SimulatedMeter } from '../../simulator/meter.ts';

/** What the dial showed when it was served: by the true time, and by the collector's wall clock. */
export interface Shown {
  readonly at: number;
  readonly wall: number;
  readonly register: number;
  readonly count: number;
}

/** Lives from being put in to being taken away. */
export class Body {
  readonly water: Household;
  readonly meter: SimulatedMeter;
  readonly registerId: string | null;
  readonly served: Shown[] = [];
  /** Its counts by the register that showed them, as far as they were served. */
  readonly counts = new Map<number, number>();
  removedAt: number | null = null;
  /** Something was done to the dial that is no water. */
  isOdd = false;
  #offset = 0;
  /** While the dial does not follow the water. */
  #apart: { readonly since: number; readonly backPerHour: number } | null = null;

  /** `initial`: its count at the water's beginning. */
  constructor(water: Household, dial: MeterDial, initial: number, registerId: string | null) {
    this.water = water;
    this.meter = new SimulatedMeter({ household: water, dial, initial });
    this.registerId = registerId;
  }

  get dial(): MeterDial {
    return this.meter.dial;
  }

  /** The unwrapped count on the dial. */
  countAt(at: number): number {
    const seen = Math.min(at, this.removedAt ?? at);
    if (this.#apart === null) return this.meter.countAt(seen) + this.#offset;
    const { since, backPerHour } = this.#apart;
    const back = Math.floor((backPerHour * Math.max(0, seen - since)) / HOUR_MS);
    return this.meter.countAt(since) + this.#offset - back;
  }

  registerAt(at: number): number {
    return this.registerOf(this.countAt(at));
  }

  registerOf(count: number): number {
    const capacity = 10 ** this.dial.digits;
    return ((count % capacity) + capacity) % capacity;
  }

  /** The dial stands still, or runs back, whatever water passes. */
  leaveWater(at: number, backPerHour: number): void {
    this.rejoinWater(at);
    this.isOdd = true;
    this.#apart = { since: at, backPerHour };
  }

  /** The dial follows the water again, from where it is. */
  rejoinWater(at: number): void {
    const count = this.countAt(at);
    this.#apart = null;
    this.#offset += count - this.countAt(at);
  }

  jump(by: number): void {
    this.isOdd = true;
    this.#offset += by;
  }

  /** Notes what goes out now. */
  serve(at: number, wall: number): Shown {
    return this.note(this.countAt(at), at, wall);
  }

  note(count: number, at: number, wall: number): Shown {
    const shown = { at, wall, register: this.registerOf(count), count };
    this.served.push(shown);
    this.counts.set(shown.register, count);
    return shown;
  }
}
