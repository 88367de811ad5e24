// What a Modbus unit has been heard to do: its latency of late, and how often each thing went wrong.

import { Latencies } from './latencies.ts';

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
  /** Questions without any answer since the last one that had one. */
  missed = 0;
  readonly #latencies = new Latencies();

  /** An answer came so long after its question was written. */
  took(ms: number): void {
    this.#latencies.took(ms);
  }

  /** The latency that a `share` (0 to 1) of the last answers did not exceed; null when there was none. */
  latencyMs(share: number): number | null {
    return this.#latencies.atShare(share);
  }
}
