// Tells the latest reading of each meter and the use of its hour so far, when it changed: for screens, never for bills.

import type { Clock, Journal } from '../boundaries.ts';
import type { EpochMs } from '../domain/units.ts';

/** At most once a minute for each meter (contract, Topics), in milliseconds of the schedule. */
const PERIOD_MS = 60_000;

export interface LastParts {
  readonly journal: Journal;
  /** The schedule's. */
  readonly clock: Clock;
  readonly isConnected: () => boolean;
  /** Publishes it, retained; a lost one is not sent again, for the next one says more. */
  readonly tell: (meter: string) => Promise<void>;
}

/** Until `signal` aborts. */
export async function tellLast(parts: LastParts, signal: AbortSignal): Promise<void> {
  const { journal, clock, isConnected, tell } = parts;
  const told = new Map<string, EpochMs>();
  while (!signal.aborted) {
    for (const meter of isConnected() ? journal.meters() : []) {
      const at = journal.installation(meter)?.last?.at;
      if (at === undefined || told.get(meter) === at) continue;
      told.set(meter, at);
      await tell(meter);
    }
    await clock.sleep(PERIOD_MS, signal);
  }
}
