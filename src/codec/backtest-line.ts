// The lines of a backtest: meters and readings in, events and hours out, all of them NDJSON.

import type { Evidence } from '../domain/alarms.ts';
import type { Entry } from '../domain/entry.ts';
import { inVolumes } from '../domain/evidence.ts';
import type { Counts, Dial, EpochMs } from '../domain/units.ts';
import { VOLUME_UNITS, type VolumeUnit } from '../domain/units.ts';
import { entryPayload, isoTime } from './head-end-message.ts';

/** Longer lines are no lines of ours. */
export const LINE_CHARS_MAX = 10_000;
const DIGITS_MAX = 12;
const POW10_MAX = 6;
const POLL_S_MAX = 86_400;
const NAME = /^[A-Za-z0-9_-]{1,40}$/;

export interface MeterLine {
  readonly type: 'meter';
  readonly meter: string;
  readonly dial: Dial;
  readonly pollS: number;
  readonly timezone: string | null;
  readonly maxFlowPerH: number | null;
}

export interface ReadingLine {
  readonly type: 'reading';
  readonly meter: string;
  readonly at: EpochMs;
  readonly read: Counts;
}

export type BacktestLine = MeterLine | ReadingLine;

/** What is wrong with a line, in words. */
export type Parsed =
  | { readonly ok: true; readonly line: BacktestLine }
  | { readonly ok: false; readonly wrong: string };

const wrong = (what: string): Parsed => ({ ok: false, wrong: what });

/** One line without its end. */
export function parseBacktestLine(text: string): Parsed {
  if (text.length > LINE_CHARS_MAX) return wrong(`is longer than ${LINE_CHARS_MAX} characters`);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return wrong('is not JSON');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return wrong('is not a JSON object');
  }
  const line = fields as Readonly<Record<string, unknown>>;
  if (line['type'] === 'reading') return readingLine(line);
  if (line['type'] === 'meter') return meterLine(line);
  return wrong('has no "type" of "meter" or "reading"');
}

function readingLine(line: Readonly<Record<string, unknown>>): Parsed {
  const { meter, at, read } = line as { meter: unknown; at: unknown; read: unknown };
  if (typeof meter !== 'string') return wrong('has no "meter"');
  const time = typeof at === 'string' ? instant(at) : Number.NaN;
  if (Number.isNaN(time)) return wrong('has no "at" in ISO 8601 UTC, as in "2026-11-22T03:15:00Z"');
  if (typeof read !== 'number' || !Number.isSafeInteger(read) || read < 0) {
    return wrong('has no "read" that is a whole number of counts');
  }
  return { ok: true, line: { type: 'reading', meter, at: time, read } };
}

/** NaN for what is not an instant in UTC. */
function instant(text: string): EpochMs {
  if (text.length > 30 || !/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]00:00)$/.test(text)) return Number.NaN;
  const at = Date.parse(text);
  // February 30 is March 2 to Date.parse; the day it makes of one that the month does not have is another.
  const day = Number(text.slice(8, 10));
  return day > 28 && !text.includes('T24') && new Date(at).getUTCDate() !== day ? Number.NaN : at;
}

function meterLine(line: Readonly<Record<string, unknown>>): Parsed {
  const {
    meter,
    digits,
    unit,
    pow10,
    poll_s: pollS,
    timezone,
    max_flow_per_h: flow,
  } = line as Record<
    'meter' | 'digits' | 'unit' | 'pow10' | 'poll_s' | 'timezone' | 'max_flow_per_h',
    unknown
  >;
  if (typeof meter !== 'string' || !NAME.test(meter)) {
    return wrong('has no "meter" of letters, digits, "_" and "-", at most 40');
  }
  if (!isWhole(digits, 1, DIGITS_MAX)) return wrong(`has no "digits" of 1 to ${DIGITS_MAX}`);
  if (!VOLUME_UNITS.includes(unit as VolumeUnit)) {
    return wrong(`has no "unit" of ${VOLUME_UNITS.join(', ')}`);
  }
  if (!isWhole(pow10, -POW10_MAX, POW10_MAX)) {
    return wrong(`has no "pow10" of -${POW10_MAX} to ${POW10_MAX}`);
  }
  if (typeof pollS !== 'number' || !(pollS >= 1 && pollS <= POLL_S_MAX)) {
    return wrong(`has no "poll_s" of 1 to ${POLL_S_MAX} seconds`);
  }
  if (timezone !== undefined && timezone !== null && typeof timezone !== 'string') {
    return wrong('has a "timezone" that is no name');
  }
  if (flow !== undefined && !(typeof flow === 'number' && flow > 0)) {
    return wrong('has a "max_flow_per_h" that is no number of counts');
  }
  const dial = { digits, unit: unit as VolumeUnit, pow10 };
  const maxFlowPerH = typeof flow === 'number' ? flow : null;
  return {
    ok: true,
    line: { type: 'meter', meter, dial, pollS, timezone: timezone ?? null, maxFlowPerH },
  };
}

function isWhole(number: unknown, low: number, high: number): number is number {
  return typeof number === 'number' && Number.isInteger(number) && number >= low && number <= high;
}

/** An event of any kind, before it is written. */
export interface BacktestEvent {
  /** Distinguishes events of one meter; the same from raise to clear. */
  readonly id: string;
  readonly code: string;
  readonly phase: string;
  readonly severity?: string;
  readonly at: EpochMs;
  readonly since: EpochMs;
  readonly data: Evidence;
}

/** One event as a line. `rate_per_h` is in `unit` an hour. */
export function eventLine(meter: string, dial: Dial, event: BacktestEvent): string {
  const { id, code, phase, at, since, severity } = event;
  const { unit, ...told } = inVolumes(event.data, dial);
  const rate = told['rate_per_h'];
  return `${JSON.stringify({
    ...{ type: 'event', id: `${meter}-${id}`, meter, code, phase },
    ...(severity === undefined ? {} : { severity }),
    ...{ at: isoTime(at), since: isoTime(since) },
    ...(rate === undefined ? {} : { rate_per_h: rate }),
    ...{ unit, data: told },
  })}\n`;
}

/** Closed hours and gaps of one meter as a line of the contract's form, without what only a collector knows. */
export function intervalLine(meter: string, dial: Dial, entries: readonly Entry[]): string {
  const { unit, pow10, digits } = dial;
  const told = entries.map((entry) => {
    const { row: _, ...rest } = entryPayload({ ...entry, meter, row: 0 }) as { row: number };
    return { gap: entry.kind === 'gap', rest };
  });
  return `${JSON.stringify({
    ...{ type: 'interval', meter, inst: entries[0]?.inst, unit, pow10, digits, len: 3600 },
    intervals: told.filter(({ gap }) => !gap).map(({ rest }) => rest),
    gaps: told.filter(({ gap }) => gap).map(({ rest }) => rest),
  })}\n`;
}
