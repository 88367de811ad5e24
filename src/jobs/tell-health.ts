// Tells the head-end every quarter of an hour how the collector fares.

import type { Clock } from '../boundaries.ts';
import { spreadOf } from '../domain/schedule.ts';

const PERIOD_MS = 15 * 60_000;
/** A long sleep is cut so that a wall clock that steps is noticed. */
const SLEEP_MAX_MS = 5 * 60_000;

export interface HealthParts {
  /** The schedule's. */
  readonly clock: Clock;
  /** Spreads collectors over the quarter of an hour. */
  readonly collector: string;
  readonly isConnected: () => boolean;
  readonly tell: () => Promise<void>;
}

/** Until `signal` aborts. What is due while there is no link is left out: the next one says all. */
export async function tellHealth(parts: HealthParts, signal: AbortSignal): Promise<void> {
  const { clock, collector, isConnected, tell } = parts;
  const phase = Math.floor(spreadOf(collector) * PERIOD_MS);
  const numberAt = (at: number) => Math.floor((at - phase) / PERIOD_MS);
  let told = numberAt(clock.now());
  while (!signal.aborted) {
    const now = clock.now();
    const next = (numberAt(now) + 1) * PERIOD_MS + phase;
    await clock.sleep(Math.min(next - now, SLEEP_MAX_MS), signal);
    const number = numberAt(clock.now());
    if (signal.aborted || number === told) continue;
    told = number;
    if (isConnected()) await tell();
  }
}
