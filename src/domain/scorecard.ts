// How well the meters were read on one local day (S5), from the hours that were published of it.

import type { Entry, HourEntry } from './entry.ts';
import { type EpochMs, HOUR_MS } from './units.ts';
import type { CivilDay, Zone } from './usage/civil.ts';

/** A local day: 23, 24 or 25 hours, or an odd half hour where clocks change by one. */
export interface DaySpan {
  readonly day: CivilDay;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** One meter on a bus, with what was published of it in the three days up to the end of the day. */
export interface ScoredMeter {
  readonly meter: string;
  readonly pollMs: number;
  readonly entries: readonly Entry[];
  /** When its first reading was taken; null before. */
  readonly installed: EpochMs | null;
  readonly disabled: boolean;
  /** What ails it now; null for nothing. */
  readonly fault: string | null;
}

export interface Scorecard {
  readonly span: DaySpan;
  readonly reads: { readonly due: number; readonly made: number };
  readonly hours: { readonly actual: number; readonly partial: number; readonly missing: number };
  readonly available: number;
  readonly unavailable: readonly { readonly meter: string; readonly reason: string }[];
  readonly day1: number | null;
  readonly day3: number | null;
}

/** Clocks of the world change at whole quarters of an hour, and are at most 14 hours before UTC. */
const STEP_MS = 15 * 60_000;
const EARLIEST_MS = 15 * HOUR_MS;

/** Where a local day begins and ends. */
export function spanOf(zone: Zone, day: CivilDay): DaySpan {
  let from = day * 24 * HOUR_MS - EARLIEST_MS;
  while (zone(from) < day) from += STEP_MS;
  let to = from;
  while (zone(to) === day) to += STEP_MS;
  return { day, from, to };
}

/** `span3` begins two days before the day. Hours count to the day in which they begin. */
export function scoreOf(span: DaySpan, from3: EpochMs, meters: readonly ScoredMeter[]): Scorecard {
  const reads = { due: 0, made: 0 };
  const hours = { actual: 0, partial: 0, missing: 0 };
  const unavailable: { meter: string; reason: string }[] = [];
  let [day1, day3] = [0, 0];
  for (const one of meters) {
    const today = hoursIn(one.entries, span.from, span.to);
    const perHour = Math.ceil(HOUR_MS / one.pollMs);
    for (const hour of today) {
      reads.due += perHour;
      // More reads than were due, as of a person who asked, make up for no others.
      reads.made += Math.min(hour.n, perHour);
      hours[classOf(hour)] += 1;
    }
    const wasRead = today.some(({ n }) => n > 0);
    if (wasRead) day1 += 1;
    else unavailable.push({ meter: one.meter, reason: reasonOf(one, span) });
    if (hoursIn(one.entries, from3, span.to).some(({ n }) => n > 0)) day3 += 1;
  }
  const share = (count: number) => (meters.length === 0 ? null : count / meters.length);
  const available = meters.length - unavailable.length;
  return { span, reads, hours, available, unavailable, day1: share(day1), day3: share(day3) };
}

function hoursIn(entries: readonly Entry[], from: EpochMs, to: EpochMs): HourEntry[] {
  return entries.filter(
    (entry): entry is HourEntry => entry.kind === 'hour' && entry.start >= from && entry.start < to,
  );
}

function classOf({ q }: HourEntry): 'actual' | 'partial' | 'missing' {
  if (q === 'A' || q === 'T') return 'actual';
  return q === 'M' ? 'missing' : 'partial';
}

function reasonOf({ disabled, installed, fault }: ScoredMeter, { to }: DaySpan): string {
  if (disabled) return 'disabled';
  if (installed === null || installed >= to) return 'never_read';
  return fault ?? 'no_reading';
}
