// Makes the journal's staged changes durable: hours at once, everything else as one group a period.

import type { Clock, Journal, Log } from '../boundaries.ts';

/** A failing medium is tried again after this long, in milliseconds of the wire. */
const RETRY_MS = 2_000;

/**
 * Two groups are so far apart, in milliseconds of the schedule: the first meter's hour goes at once, those that end within
 * the next moments go together. A synced write wears a whole page of flash, whatever is in it.
 */
const APART_MS = 2_000;

interface CommitParts {
  readonly journal: Journal;
  readonly wire: Clock;
  readonly log: Log;
  /** How much faster than the wire the schedule's clock runs. */
  readonly speed?: number;
  /** Called when a write begins and when it has ended, good or bad. */
  readonly writing?: (isWriting: boolean) => void;
}

/** Writes groups until `signal` aborts, then the last one. `periodMs` is time of the wire, as the disk's. */
export async function commitGroups(
  { journal, wire, log, speed = 1, writing }: CommitParts,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    await journal.staged(signal);
    if (journal.isSound()) await untilDue(journal, wire, periodMs, signal);
    const early = before + APART_MS / speed - wire.monotonicMs();
    if (early > 0) await wire.sleep(early, signal);
    before = wire.monotonicMs();
    writing?.(true);
    const written = await journal.flush();
    writing?.(false);
    if (written.ok) continue;
    log.error({ ...written.fault }, 'the journal could not be written; it is opened again');
    await openAgain({ journal, wire, log }, written.fault.detail, signal);
    if (journal.isSound()) log.info({}, 'the journal is sound again');
  }
  await journal.flush();
}

/** Tries until the journal is sound; the same trouble is told once. */
async function openAgain(
  { journal, wire, log }: { readonly journal: Journal; readonly wire: Clock; readonly log: Log },
  trouble: string,
  signal: AbortSignal,
): Promise<void> {
  let told = trouble;
  while (!signal.aborted) {
    await wire.sleep(RETRY_MS, signal);
    const again = await journal.flush();
    if (again.ok) return;
    const { detail } = again.fault;
    if (detail !== told) log.error({ ...again.fault }, 'the journal is not open; trying again');
    told = detail;
  }
}

async function untilDue(
  journal: Journal,
  wire: Clock,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  const turn = new AbortController();
  const end = () => turn.abort('over');
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const waits = [journal.urgent(turn.signal), wire.sleep(periodMs, turn.signal)];
  await Promise.race(waits);
  end();
  signal.removeEventListener('abort', end);
  await Promise.all(waits);
}
