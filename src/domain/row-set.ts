// A set of row numbers in a bit each: a million rows that wait take 125 KB.

const CHUNK_ROWS = 32_768;

interface Chunk {
  readonly bits: Uint32Array;
  count: number;
}

/** Row numbers from 1. */
export class RowSet {
  readonly #chunks = new Map<number, Chunk>();
  /** The chunk that was looked at last, and where it is: rows are asked for in the order of their numbers. */
  #chunk: Chunk | undefined;
  #at = -1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(row: number): boolean {
    return this.#size > 0 && isIn(this.#chunkOf(row), row);
  }

  /** Whether it holds any row from `first` to `last`. */
  hasAny(first: number, last: number): boolean {
    if (this.#size === 0) return false;
    for (let row = first; row <= last; row += 32 - (row & 31)) {
      // The bits from this row on: the lowest that is set stands for the next one.
      const bits = (this.#chunkOf(row)?.bits[wordOf(row)] ?? 0) >>> (row & 31);
      if (bits !== 0 && row + 31 - Math.clz32(bits & -bits) <= last) return true;
    }
    return false;
  }

  add(row: number): void {
    let chunk = this.#chunkOf(row);
    if (chunk === undefined) {
      chunk = { bits: new Uint32Array(CHUNK_ROWS / 32), count: 0 };
      this.#chunks.set(this.#at, chunk);
      this.#chunk = chunk;
    }
    if (isIn(chunk, row)) return;
    turn(chunk, row);
    chunk.count += 1;
    this.#size += 1;
  }

  delete(row: number): void {
    const chunk = this.#size > 0 ? this.#chunkOf(row) : undefined;
    if (chunk === undefined || !isIn(chunk, row)) return;
    turn(chunk, row);
    chunk.count -= 1;
    this.#size -= 1;
    if (chunk.count > 0) return;
    this.#chunks.delete(this.#at);
    this.#chunk = undefined;
  }

  clear(): void {
    this.#chunks.clear();
    this.#chunk = undefined;
    this.#size = 0;
  }

  /** The rows in ascending order; the set may be changed meanwhile, which the iteration need not see. */
  *[Symbol.iterator](): Generator<number> {
    for (const at of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const bits = this.#chunks.get(at)?.bits ?? [];
      for (const [word, held] of bits.entries()) {
        for (let left = held; left !== 0; left &= left - 1) {
          yield at * CHUNK_ROWS + word * 32 + (31 - Math.clz32(left & -left));
        }
      }
    }
  }

  /** The row's chunk, which stands in `#at` and `#chunk` from now on. */
  #chunkOf(row: number): Chunk | undefined {
    const at = Math.floor(row / CHUNK_ROWS);
    if (at !== this.#at) {
      this.#at = at;
      this.#chunk = this.#chunks.get(at);
    }
    return this.#chunk;
  }
}

function isIn(chunk: Chunk | undefined, row: number): boolean {
  return chunk !== undefined && (((chunk.bits[wordOf(row)] as number) >>> (row & 31)) & 1) === 1;
}

/** Puts a row in that is not there, takes one out that is. */
function turn({ bits }: Chunk, row: number): void {
  const word = wordOf(row);
  bits[word] = (bits[word] as number) ^ (1 << (row & 31));
}

const wordOf = (row: number): number => (row % CHUNK_ROWS) >>> 5;
