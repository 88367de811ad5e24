// Local dates of a time zone by its name, from the platform's own tables; each day is worked out once.

import type { EpochMs } from '../domain/units.ts';
import type { Zone } from '../domain/usage/civil.ts';

const DAY_MS = 86_400_000;
/** Days remembered: meters of a file come in the order of time, more or less. */
const DAYS_KEPT = 64;

interface Span {
  readonly day: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** The zone of an IANA name ("America/Denver"); null for a name that the platform does not know. */
export function zoneOf(name: string): Zone | null {
  let format: Intl.DateTimeFormat;
  try {
    const date = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-CA', { ...date, timeZone: name, calendar: 'gregory' });
  } catch {
    return null;
  }
  const dayAt = (at: EpochMs) => civilDay(format, at);
  const spans = new Map<number, Span>();
  let last: Span = { day: 0, from: 0, to: 0 };
  return (at) => {
    if (at >= last.from && at < last.to) return last.day;
    const day = dayAt(at);
    last = spans.get(day) ?? keep(spans, spanOf(dayAt, day, at));
    return day;
  };
}

function civilDay(format: Intl.DateTimeFormat, at: EpochMs): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  return Date.UTC(parts['year'] ?? 0, (parts['month'] ?? 1) - 1, parts['day'] ?? 1) / DAY_MS;
}

/** A day of 23, 24 or 25 hours, found by halving: its edges are the only instants at which the date changes. */
function spanOf(dayAt: (at: EpochMs) => number, day: number, inside: EpochMs): Span {
  return {
    day,
    from: firstOf(inside - 2 * DAY_MS, inside, (at) => dayAt(at) >= day),
    to: firstOf(inside, inside + 2 * DAY_MS, (at) => dayAt(at) > day),
  };
}

/** The first instant in (low, high] at which `holds`. */
function firstOf(low: EpochMs, high: EpochMs, holds: (at: EpochMs) => boolean): EpochMs {
  let before = low;
  let after = high;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}

function keep(spans: Map<number, Span>, span: Span): Span {
  spans.set(span.day, span);
  for (const oldest of spans.keys()) {
    if (spans.size <= DAYS_KEPT) break;
    spans.delete(oldest);
  }
  return span;
}
