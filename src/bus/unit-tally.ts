// What a Modbus unit has been heard to do: its latency of late, and how often each thing went wrong.

/** Latencies kept of each unit: enough for a 95th of a hundred, little enough for 247 units. */
const LATENCIES_KEPT = 32;

/** What happened to the questions of a unit, and what came without one. */
export type TallyKey =
  | 'answered'
  | 'exceptions'
  | 'silent'
  | 'torn'
  | 'crc'
  | 'unexpected'
  | 'late'
  | 'unasked'
  | 'echoes';

/** Counters and latency of one unit. */
export class UnitTally {
  readonly counts: Record<TallyKey, number> = {
    answered: 0,
    exceptions: 0,
    silent: 0,
    torn: 0,
    crc: 0,
    unexpected: 0,
    late: 0,
    unasked: 0,
    echoes: 0,
  };
  readonly #latencies: number[] = [];
  #next = 0;

  /** An answer came so long after its question was written. */
  took(ms: number): void {
    this.#latencies[this.#next] = ms;
    this.#next = (this.#next + 1) % LATENCIES_KEPT;
  }

  /** The latency that a `share` (0 to 1) of the last answers did not exceed; null when there was none. */
  latencyMs(share: number): number | null {
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  }
}
