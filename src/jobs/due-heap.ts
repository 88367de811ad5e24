// A heap of turns: the first by a given order at once, any other taken out at the cost of a few steps.

/** A thing that is in at most one heap at a time; the heap keeps its place in it. */
export interface Placed {
  /** Index in the heap it is in. */
  slot: number;
}

export class DueHeap<T extends Placed> {
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #all: T[] = [];

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#all.length;
  }

  first(): T | undefined {
    return this.#all[0];
  }

  push(one: T): void {
    this.#all.push(one);
    this.#rise(one, this.#all.length - 1);
  }

  /** Takes out `one`, which must be in this heap. */
  remove(one: T): void {
    const last = this.#all.pop() as T;
    if (last === one) return;
    const { slot } = one;
    this.#rise(last, slot);
    if (last.slot === slot) this.#sink(last, slot);
  }

  #rise(one: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const above = this.#all[(slot - 1) >> 1] as T;
      if (!this.#isBefore(one, above)) break;
      this.#put(above, slot);
      slot = (slot - 1) >> 1;
    }
    this.#put(one, slot);
  }

  #sink(one: T, from: number): void {
    let slot = from;
    for (;;) {
      let below = 2 * slot + 1;
      const left = this.#all[below];
      if (left === undefined) break;
      const right = this.#all[below + 1];
      if (right !== undefined && this.#isBefore(right, left)) below += 1;
      const next = this.#all[below] as T;
      if (!this.#isBefore(next, one)) break;
      this.#put(next, slot);
      slot = below;
    }
    this.#put(one, slot);
  }

  #put(one: T, slot: number): void {
    this.#all[slot] = one;
    one.slot = slot;
  }
}
