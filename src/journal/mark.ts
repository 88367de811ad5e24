// The mark: what the journal held, kept outside its store, so that what the store has lost without a word is noticed and named.

import { crc32 } from '../codec/crc32.ts';
import type { InstallationFacts } from '../domain/facts.ts';
import type { Installation } from '../domain/installation.ts';
import type { DialPoint } from '../domain/resume.ts';
import type { EpochMs } from '../domain/units.ts';
import type { Standing } from './standing.ts';

/** One meter at the time of the mark. */
export interface MarkedMeter {
  readonly facts: InstallationFacts;
  /** Increments recorded. */
  readonly steps: number;
  /** Increments of each installation that has ended. */
  readonly ended: Readonly<Record<string, number>>;
  /** Facts of those that have ended: without them nobody knows what their counts are. Absent in older marks. */
  readonly before?: readonly InstallationFacts[];
  /** The open hour; null before the first reading was placed. */
  readonly hour: EpochMs | null;
  /** Hours that begin before it may have been told with `rev`. */
  readonly until: EpochMs;
  readonly rev: number;
  readonly initial: DialPoint | null;
  readonly last: DialPoint | null;
  /** Where the newest hour or gap that was told ends. */
  readonly told: DialPoint | null;
  readonly nextAlarm: number;
  /** Rows that were not delivered. */
  readonly pending: number;
}

export interface Mark {
  readonly v: 1;
  readonly collector: string;
  readonly epoch: string;
  /** Nothing was written after it: a clean stop. */
  readonly clean: boolean;
  readonly nextRow: number;
  readonly pending: number;
  readonly meters: Readonly<Record<string, MarkedMeter>>;
}

/** What stands now, as a mark after which more is written. */
export function markOf(standing: Standing, nextRow: number, collector: string): Mark {
  const meters: Record<string, MarkedMeter> = {};
  let pending = 0;
  for (const count of standing.pending.values()) pending += count;
  for (const [meter, state] of standing.states) {
    const facts = standing.facts.get(`${meter}/${state.inst}`);
    if (!facts) continue;
    const waiting = standing.pending.get(meter) ?? 0;
    const ended = endedOf(standing, meter, state.inst);
    const before = factsBefore(standing, meter, state.inst);
    meters[meter] = { facts, ...figuresOf(state), ended, before, pending: waiting };
  }
  return { v: 1, collector, epoch: standing.epoch, clean: false, nextRow, pending, meters };
}

function figuresOf(
  state: Installation,
): Omit<MarkedMeter, 'facts' | 'ended' | 'before' | 'pending'> {
  const { steps, hours, initial, last, alarms } = state;
  return {
    steps,
    hour: hours?.start ?? null,
    until: hours?.until ?? 0,
    rev: hours?.rev ?? 0,
    initial: pointOf(initial),
    last: pointOf(last),
    told: pointOf(toldOf(state)),
    nextAlarm: alarms.next,
  };
}

/** Where the newest hour or gap that is told ends. */
function toldOf({ hours }: Installation): DialPoint | null {
  if (!hours) return null;
  const { gap, ended, from, last } = hours;
  return (ended && !ended.sent ? ended.from : null) ?? gap?.from ?? from ?? last;
}

function factsBefore({ facts }: Standing, meter: string, inst: number): InstallationFacts[] {
  const before: InstallationFacts[] = [];
  for (let one = 1; one < inst; one += 1) {
    const found = facts.get(`${meter}/${one}`);
    if (found) before.push(found);
  }
  return before;
}

function endedOf({ ends }: Standing, meter: string, inst: number): Record<string, number> {
  const ended: Record<string, number> = {};
  for (let one = 1; one < inst; one += 1) {
    const steps = ends.get(`${meter}/${one}`);
    if (steps !== undefined) ended[String(one)] = steps;
  }
  return ended;
}

function pointOf(point: DialPoint | null): DialPoint | null {
  return point && { at: point.at, read: point.read, total: point.total };
}

/** The mark as text under a CRC-32. */
export function encodeMark(mark: Mark): string {
  const json = JSON.stringify(mark);
  return `${crc32(json).toString(16).padStart(8, '0')}${json}\n`;
}

/** The mark; undefined when it is damaged, or of a version that is not known. */
export function decodeMark(text: string): Mark | undefined {
  const json = text.slice(8, -1);
  if (!text.endsWith('\n') || text.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) {
    return undefined;
  }
  const mark = JSON.parse(json) as Mark;
  return mark.v === 1 ? mark : undefined;
}
