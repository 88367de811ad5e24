// Tells of the collector's clock: that it stepped, that nobody keeps it right (E2 clock.step, clock.unsynced), and that somebody does again.

import type { Clock, Journal, Log } from '../boundaries.ts';
import type { EpochMs } from '../domain/units.ts';

const LOOK_MS = 60_000;
/** The grain of the wall clock, in milliseconds of the wire: no step is smaller. */
const GRAIN_MS = 1_000;
/** For so long hours wait for a doubtful clock (I10); then it is believed as it stands, and somebody should know. */
const UNSYNCED_MS = 15 * 60_000;
/** There is one clock: the trouble is about nothing but itself. */
const UNSYNCED = 'clock.unsynced';

export interface WatchClockParts {
  readonly journal: Journal;
  /** The schedule's clock. */
  readonly clock: Clock;
  readonly log: Log;
  /** A step by more than so many milliseconds moves a reading off its hour's edge. */
  readonly toleranceMs: number;
  /** Who keeps the clock right, as the settings say. */
  readonly source: string;
}

/** Looks once a minute until `signal` aborts. */
export async function watchClock(parts: WatchClockParts, signal: AbortSignal): Promise<void> {
  const { clock, journal } = parts;
  let wall = clock.now();
  let mono = clock.monotonicMs();
  let since: number | null = null;
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    // What cannot be told yet is told when the journal is open.
    if (!journal.isSound()) continue;
    const passed = clock.monotonicMs() - mono;
    tellStep(wall + passed, clock.now(), parts);
    wall = clock.now();
    mono += passed;
    since = clock.synced() === false ? (since ?? mono) : null;
    tellSync(since === null ? null : mono - since, parts);
  }
}

function tellStep(
  expected: EpochMs,
  now: EpochMs,
  { journal, clock, log, toleranceMs }: WatchClockParts,
): void {
  const step = now - expected;
  const limit = Math.max(toleranceMs, GRAIN_MS * clock.speed);
  if (Math.abs(step) <= limit) return;
  const data = {
    ...{ step_ms: Math.round(step), limit_ms: limit },
    ...{ before: isoOf(expected), after: isoOf(now) },
    clears: 'nothing: water is measured by a clock that does not step',
  };
  log.warn(data, 'the clock stepped');
  journal.note({ code: 'clock.step', severity: 'minor', data });
}

const isoOf = (at: EpochMs) => new Date(at).toISOString().replace('.000Z', 'Z');

function tellSync(unsyncedMs: number | null, { journal, log, source }: WatchClockParts): void {
  if (unsyncedMs === null) {
    const data = { source, outcome: 'the clock is kept right' };
    journal.trouble({ about: UNSYNCED, stands: false, code: UNSYNCED, severity: 'info', data });
    return;
  }
  if (unsyncedMs < UNSYNCED_MS) return;
  const data = {
    ...{ source, unsynced_s: Math.round(unsyncedMs / 1_000), limit_s: UNSYNCED_MS / 1_000 },
    clears: 'a clock that is synchronised: the way to its time server',
  };
  if (!journal.troubles().includes(UNSYNCED)) log.warn(data, 'nobody keeps the clock right');
  journal.trouble({ about: UNSYNCED, stands: true, code: UNSYNCED, severity: 'minor', data });
}
