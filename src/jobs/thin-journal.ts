// Keeps the journal within its days and its room, once an hour, behind polling.

import type { Clock, Journal, KeepLimits, Log } from '../boundaries.ts';
import { CLOCK_EPOCH_MS } from '../domain/moment.ts';
import { HOUR_MS, hourOf } from '../domain/units.ts';

export interface ThinParts {
  readonly journal: Journal;
  /** The schedule's clock: hours. */
  readonly clock: Clock;
  readonly wire: Clock;
  readonly log: Log;
}

/** Halfway between two hours' edges, when meters are read and hours sent. */
const AFTER_EDGE_MS = HOUR_MS / 2;
/** It rests so long between two writes, in milliseconds of the wire: polling and sending go first. */
const REST_MS = 50;

/** Runs until `signal` aborts. */
export async function thinJournal(
  { journal, clock, wire, log }: ThinParts,
  limits: KeepLimits,
  signal: AbortSignal,
): Promise<void> {
  let passed = clock.monotonicMs();
  while (!signal.aborted) {
    const now = clock.now();
    const next = hourOf(now - AFTER_EDGE_MS) + HOUR_MS + AFTER_EDGE_MS;
    await clock.sleep(next - now, signal);
    // What is old can only be told by a clock that may be right.
    if (signal.aborted || clock.synced() === false || clock.now() < CLOCK_EPOCH_MS) continue;
    const mono = clock.monotonicMs();
    const rest = () => wire.sleep(REST_MS, signal);
    const thinned = await journal.thin(limits, rest, mono - passed);
    passed = mono;
    if (!thinned.ok) {
      log.warn({ ...thinned.fault }, 'the journal could not be thinned');
      continue;
    }
    const { increments, hours, events } = thinned.value;
    if (increments + hours + events > 0) log.info({ increments, hours, events }, 'records thinned');
  }
}
