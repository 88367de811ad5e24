// The rows of one epoch that have come, or are lost, as ranges, and where they have holes.

export type Range = readonly [from: number, to: number];

/** Rows as few ascending ranges that neither touch nor overlap: a month of hours in order is one. */
export class RowSet {
  readonly #ranges: [number, number][] = [];

  has(row: number): boolean {
    const range = this.#ranges[this.#at(row)];
    return range !== undefined && range[0] <= row;
  }

  /** Whether every row from `from` to `to` is there. */
  hasAll(from: number, to: number): boolean {
    const range = this.#ranges[this.#at(from)];
    return range !== undefined && range[0] <= from && range[1] >= to;
  }

  add(row: number): void {
    this.addRange(row, row);
  }

  addRange(from: number, to: number): void {
    // The ranges that touch it become one with it.
    const first = this.#at(from - 1);
    let end = first;
    let [low, high] = [from, to];
    for (let range = this.#ranges[end]; range && range[0] <= to + 1; range = this.#ranges[end]) {
      low = Math.min(low, range[0]);
      high = Math.max(high, range[1]);
      end += 1;
    }
    this.#ranges.splice(first, end - first, [low, high]);
  }

  /** The highest row; 0 without any. */
  top(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** Rows not there between `from` and the highest that is. */
  holes(from = 1): Range[] {
    const holes: Range[] = [];
    let due = from;
    for (const [low, high] of this.#ranges) {
      if (low > due) holes.push([due, low - 1]);
      due = Math.max(due, high + 1);
    }
    return holes;
  }

  ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** Index of the first range that ends at `row` or after it. */
  #at(row: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as Range)[1] < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The ranges in the evidence of a journal.loss; nothing that is none. */
export function rangesOf(rows: unknown): Range[] {
  if (!Array.isArray(rows)) return [];
  return rows.filter(
    (range): range is Range =>
      Array.isArray(range) &&
      range.length === 2 &&
      range.every((row) => Number.isSafeInteger(row) && row >= 1) &&
      range[0] <= range[1],
  );
}
