// A set of row numbers in a bit each: a million rows that wait take 125 KB.

const CHUNK_ROWS = 32_768;

interface Chunk {
  readonly bits: Uint32Array;
  count: number;
}

/** Row numbers from 1. */
export class RowSet {
  readonly #chunks = new Map<number, Chunk>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(row: number): boolean {
    const { at, word, bit } = placeOf(row);
    return (((this.#chunks.get(at)?.bits[word] ?? 0) >>> bit) & 1) === 1;
  }

  add(row: number): void {
    if (this.has(row)) return;
    const { at, word, bit } = placeOf(row);
    const chunk = this.#chunks.get(at) ?? { bits: new Uint32Array(CHUNK_ROWS / 32), count: 0 };
    this.#chunks.set(at, chunk);
    chunk.bits[word] = (chunk.bits[word] ?? 0) | (1 << bit);
    chunk.count += 1;
    this.#size += 1;
  }

  delete(row: number): void {
    if (!this.has(row)) return;
    const { at, word, bit } = placeOf(row);
    const chunk = this.#chunks.get(at) as Chunk;
    chunk.bits[word] = (chunk.bits[word] ?? 0) & ~(1 << bit);
    chunk.count -= 1;
    this.#size -= 1;
    if (chunk.count === 0) this.#chunks.delete(at);
  }

  clear(): void {
    this.#chunks.clear();
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
}

function placeOf(row: number): { at: number; word: number; bit: number } {
  const within = row % CHUNK_ROWS;
  return { at: (row - within) / CHUNK_ROWS, word: within >>> 5, bit: within & 31 };
}
