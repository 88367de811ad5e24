// How long the last answers of a meter or unit took.

/** Latencies kept: enough for a 95th of a hundred, little enough for 247 units. */
const LATENCIES_KEPT = 32;

export class Latencies {
  readonly #kept: number[] = [];
  #next = 0;
  /** What is kept, rising; null when something came since. It is asked for more often than an answer comes. */
  #sorted: Float64Array | null = null;

  /** An answer came so long after its question was written. Whether that changes what is kept. */
  took(ms: number): boolean {
    const isNew = this.#kept[this.#next] !== ms;
    if (isNew) this.#sorted = null;
    this.#kept[this.#next] = ms;
    this.#next = (this.#next + 1) % LATENCIES_KEPT;
    return isNew;
  }

  all(): readonly number[] {
    return this.#kept;
  }

  /** The latency that a `share` (0 to 1) of the last answers did not exceed; null when there was none. */
  atShare(share: number): number | null {
    this.#sorted ??= Float64Array.from(this.#kept).sort();
    return atShare(this.#sorted, share);
  }
}

/** The one of `sorted` that a `share` (0 to 1) of them does not exceed; null when there is none. */
export function atShare(sorted: Float64Array, share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}
