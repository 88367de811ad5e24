// Looks after the journal behind polling: leaves its mark each hour, scrubs it at the start, each day, and when something is suspected.

import type { Clock, Journal, Log, ScrubReport, Vault } from '../boundaries.ts';
import type { Result } from '../domain/fault.ts';
import { HOUR_MS, hourOf } from '../domain/units.ts';

export interface KeepParts {
  readonly journal: Journal;
  readonly vault: Pick<Vault, 'reserve'>;
  /** The schedule's clock: hours and days. */
  readonly clock: Clock;
  readonly wire: Clock;
  readonly log: Log;
}

/** The mark follows the hour's edge by so long, in milliseconds of the schedule: by then its hours are on the medium. */
const AFTER_EDGE_MS = 5 * 60_000;

/** A scrub rests so long between portions, in milliseconds of the wire: polling and sending go first. */
const REST_MS = 20;

/** A suspicion is looked into after so long, in milliseconds of the wire; twice as long each time nothing is found, up to an hour. */
const SUSPECT_MS = 10_000;
const SUSPECT_MAX_MS = HOUR_MS;

/** Scrubs that failed are tried again with the next hour's mark; a good one holds for a day. */
const SCRUB_EVERY_MS = 24 * HOUR_MS;

/** Runs until `signal` aborts. */
export async function keepJournal(parts: KeepParts, signal: AbortSignal): Promise<void> {
  await Promise.all([keepHours(parts, signal), keepWatch(parts, signal)]);
}

async function keepHours(parts: KeepParts, signal: AbortSignal): Promise<void> {
  const { journal, vault, clock } = parts;
  let scrubbed = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    await journal.mark();
    const isDue = journal.isSound() && clock.now() - scrubbed >= SCRUB_EVERY_MS;
    if (isDue && (await scrub(parts, signal))) {
      scrubbed = clock.now();
      await journal.mark();
    }
    await vault.reserve();
    const next = hourOf(clock.now()) + HOUR_MS + AFTER_EDGE_MS;
    await clock.sleep(next - clock.now(), signal);
  }
}

/** A journal that was mended at its opening, or in which something damaged was met, is read whole soon. */
async function keepWatch(parts: KeepParts, signal: AbortSignal): Promise<void> {
  let wait = SUSPECT_MS;
  while (!signal.aborted) {
    await parts.journal.suspected(signal);
    await parts.wire.sleep(wait, signal);
    if (signal.aborted) return;
    const outcome = await parts.journal.scrub(() => parts.wire.sleep(REST_MS, signal));
    const foundAny = tell(outcome, parts) && outcome.ok && foundIn(outcome.value);
    wait = foundAny ? SUSPECT_MS : Math.min(2 * wait, SUSPECT_MAX_MS);
  }
}

const foundIn = ({ damaged, broughtBack, lost }: ScrubReport) => damaged + broughtBack + lost > 0;

/** False when there is no outcome. */
function tell(outcome: Result<ScrubReport>, { log }: KeepParts): boolean {
  if (!outcome.ok) {
    log.warn({ ...outcome.fault }, 'the journal could not be read to its end');
    return false;
  }
  const { records, damaged, broughtBack, lost, sums } = outcome.value;
  const figures = { records, damaged, brought_back: broughtBack, lost };
  for (const sum of sums) log.error({ sum }, 'hours and gaps do not sum to what the dial moved');
  if (foundIn(outcome.value)) log.error(figures, 'the journal was damaged; see its events');
  else log.info(figures, 'the journal was read through');
  return true;
}

async function scrub(parts: KeepParts, signal: AbortSignal): Promise<boolean> {
  const { journal, wire } = parts;
  return tell(await journal.scrub(() => wire.sleep(REST_MS, signal)), parts);
}
