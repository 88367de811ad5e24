// Tells the head-end once a local day how well the meters were read (S5).

import type { Clock, Journal, Log } from '../boundaries.ts';
import {
  type DaySpan,
  type Scorecard,
  type ScoredMeter,
  scoreOf,
  spanOf,
} from '../domain/scorecard.ts';
import { HOUR_MS } from '../domain/units.ts';
import { type CivilDay, dateOf, type Zone } from '../domain/usage/civil.ts';

/** A long sleep is cut so that a wall clock that steps, or a link that is back, is noticed. */
const LOOK_MS = 5 * 60_000;

export interface ScorecardParts {
  readonly journal: Journal;
  /** The schedule's. */
  readonly clock: Clock;
  readonly log: Log;
  /** The utility's. */
  readonly zone: Zone;
  /** The meters on buses. */
  readonly meters: readonly { readonly meter: string; readonly pollMs: number }[];
  /** What ails a meter now. */
  readonly faultOf: (meter: string) => string | null;
  readonly isConnected: () => boolean;
  /** Publishes it; whether the broker has it. */
  readonly tell: (card: Scorecard) => Promise<boolean>;
}

/** Until `signal` aborts. A day is told as soon as its last hour can no longer change, or when there is a link again. */
export async function tellScorecards(parts: ScorecardParts, signal: AbortSignal): Promise<void> {
  const { clock, zone, meters, isConnected, journal } = parts;
  // An edge is decided at most two poll periods after it (contract, Interval).
  const settleMs = HOUR_MS + 2 * Math.max(0, ...meters.map(({ pollMs }) => pollMs));
  let told: CivilDay | undefined;
  while (!signal.aborted) {
    const day = zone(clock.now() - settleMs) - 1;
    if (day !== told && isConnected() && journal.isSound()) {
      if (await isTold(day, parts)) told = day;
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/** Whether the day needs to be told no more. */
async function isTold(day: CivilDay, parts: ScorecardParts): Promise<boolean> {
  const { journal, clock, log } = parts;
  // No command has such an id.
  const id = `scorecard:${dateOf(day)}`;
  const kept = await journal.keptAnswer(id);
  // What cannot be read of it was written when it was told.
  if (!kept.ok || kept.value !== undefined) return true;
  const span = spanOf(parts.zone, day);
  const meters = await scoredMeters(span, parts);
  // Of a day before the first meter was read there is nothing to tell.
  if (!meters.some(({ installed }) => installed !== null && installed < span.to)) return true;
  const card = scoreOf(span, spanOf(parts.zone, day - 2).from, meters);
  if (!(await parts.tell(card))) {
    log.debug({ day: dateOf(day) }, 'a scorecard was not taken; it is told later');
    return false;
  }
  journal.keepAnswer(id, 'told', clock.now());
  return true;
}

async function scoredMeters(span: DaySpan, parts: ScorecardParts): Promise<ScoredMeter[]> {
  const { journal, zone, meters, faultOf } = parts;
  const from = spanOf(zone, span.day - 2).from;
  const scored: ScoredMeter[] = [];
  for (const { meter, pollMs } of meters) {
    const installed = journal.facts(meter)?.installed ?? null;
    const disabled = journal.installation(meter)?.disabled === true;
    const entries = await journal.publishedFrom(meter, from);
    scored.push({ meter, pollMs, entries, installed, disabled, fault: faultOf(meter) });
  }
  return scored;
}
