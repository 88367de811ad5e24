// One day of water as a piecewise-constant flow, summed in whole units so that nothing is lost to rounding.

/** One unit is 1/100,000,000,000 of a US gallon: fine enough for a drip, and a busy day still fits a double exactly. */
export const UNITS_PER_GALLON = 1e11;

/** Whole units a millisecond for a flow in gallons a minute. */
export function unitsPerMs(gpm: number): number {
  return Math.round((gpm * UNITS_PER_GALLON) / 60_000);
}

/** A flow of `rate` units a millisecond from `start` to `end` (epoch ms, whole). */
export interface Flow {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
}

/** The volume since the beginning of one day, at any instant in it. */
export class DayFlow {
  readonly from: number;
  readonly to: number;
  /** Units that had passed before this day. */
  readonly before: number;
  /** Units of the whole day. */
  readonly total: number;
  readonly #times: Float64Array;
  readonly #rates: Float64Array;
  readonly #sums: Float64Array;
  /** The piece last looked up: most look-ups fall in the same or the next one. */
  #piece = 0;

  constructor(from: number, to: number, before: number, base: number, flows: readonly Flow[]) {
    this.from = from;
    this.to = to;
    this.before = before;
    const size = 2 * flows.length + 1;
    this.#times = new Float64Array(size);
    this.#rates = new Float64Array(size);
    this.#sums = new Float64Array(size);
    let rate = base;
    let sum = 0;
    let last = from;
    this.#times[0] = from;
    this.#rates[0] = rate;
    let piece = 1;
    for (const change of changesOf(flows, from)) {
      const which = change % size;
      const at = from + (change - which) / size;
      const { rate: by } = flows[which >> 1] as Flow;
      sum += rate * (at - last);
      rate += which % 2 === 0 ? by : -by;
      last = at;
      this.#times[piece] = at;
      this.#rates[piece] = rate;
      this.#sums[piece] = sum;
      piece += 1;
    }
    this.total = sum + rate * (to - last);
  }

  /** Units from the beginning of the day to `at` (epoch ms within the day). O(log n), O(1) when asked in order. */
  unitsAt(at: number): number {
    const times = this.#times;
    let piece = this.#piece;
    const next = times[piece + 1] ?? Number.POSITIVE_INFINITY;
    if (at < (times[piece] as number) || at >= next) {
      piece =
        at >= next && at < (times[piece + 2] ?? Number.POSITIVE_INFINITY)
          ? piece + 1
          : this.#find(at);
      this.#piece = piece;
    }
    return (
      (this.#sums[piece] as number) +
      (this.#rates[piece] as number) * (at - (times[piece] as number))
    );
  }

  /** The last piece that begins at or before `at`. */
  #find(at: number): number {
    let low = 0;
    let high = this.#times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#times[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/**
 * The beginnings and ends of `flows` in the order of time, each as one number: milliseconds since `from`, times twice the
 * flows and one, plus twice the flow's place, plus one at its end. Plain numbers are sorted ten times as fast as flows.
 */
function changesOf(flows: readonly Flow[], from: number): Float64Array {
  const size = 2 * flows.length + 1;
  const changes = new Float64Array(2 * flows.length);
  flows.forEach(({ start, end }, i) => {
    changes[2 * i] = (start - from) * size + 2 * i;
    changes[2 * i + 1] = (end - from) * size + 2 * i + 1;
  });
  return changes.sort();
}
