// Drives `advance` over a list of observations, and works the same hours out a second way, all readings in hand.

import {
  type Advance,
  advance,
  type Installation,
  type MeterRules,
  newInstallation,
} from '../../src/domain/advance.ts';
import type { EventEntry } from '../../src/domain/alarms.ts';
import type { Entry, GapEntry, HourEntry, Increment, Notice } from '../../src/domain/entry.ts';
import type { FaultCode } from '../../src/domain/fault.ts';
import { HOUR_MS, hourOf } from '../../src/domain/units.ts';

export const T0 = Date.UTC(2026, 2, 1);
export const MINUTE = 60_000;

export const RULES: MeterRules = {
  dial: { digits: 8, unit: 'ft3', pow10: -1 },
  maxFlowPerH: 2_406,
  jitter: 1,
  toleranceMs: 15_000,
  pollMs: 15 * MINUTE,
  stuckMs: 10 * 24 * HOUR_MS,
};

/** Nothing was read, and nobody knows why. */
export const SILENCE = {
  kind: 'silence',
  why: 'bus',
  flags: [],
  fault: null,
  stranger: null,
} as const;

/** One poll: at `at`, the dial `read`, or nothing. */
export interface Poll {
  readonly at: number;
  readonly read: number | null;
  readonly synced?: boolean | null;
  readonly mono?: number;
  readonly boot?: string;
  readonly fault?: FaultCode;
  readonly checked?: boolean;
}

export interface Run {
  readonly state: Installation;
  readonly entries: Entry[];
  readonly increments: Increment[];
  readonly notices: Notice[];
  readonly events: EventEntry[];
}

/** Folds the polls; entries come in the order in which they were published. */
export function run(polls: readonly Poll[], rules = RULES, from = newInstallation(1)): Run {
  let state = from;
  const out: Run = { state, entries: [], increments: [], notices: [], events: [] };
  for (const poll of polls) {
    const moment = {
      at: poll.at,
      mono: poll.mono ?? poll.at,
      boot: poll.boot ?? 'b',
      synced: poll.synced === undefined ? true : poll.synced,
    };
    const told = { entries: out.entries, held: 0 };
    const step: Advance =
      poll.read === null
        ? advance(state, { ...SILENCE, moment, fault: poll.fault ?? null }, rules, told)
        : advance(
            state,
            {
              kind: 'reading',
              moment,
              register: poll.read,
              checked: poll.checked ?? true,
              identified: false,
            },
            rules,
            told,
          );
    state = step.state;
    out.entries.push(...step.entries);
    out.increments.push(...step.increments);
    out.notices.push(...step.notices);
    out.events.push(...step.events);
  }
  return { ...out, state };
}

export const hoursOf = (entries: readonly Entry[]) =>
  entries.filter((entry): entry is HourEntry => entry.kind === 'hour');
export const gapsOf = (entries: readonly Entry[]) =>
  entries.filter((entry): entry is GapEntry => entry.kind === 'gap');

interface Reading {
  readonly at: number;
  readonly total: number;
}

/** The contract's rules read literally, with every accepted reading in hand at once: hours as [start, use, q]. */
export function batchHours(
  readings: readonly Reading[],
  end: number,
  rules = RULES,
): { hours: [number, number | null, string][]; gaps: [number, number, number][] } {
  const first = readings[0];
  if (!first) return { hours: [], gaps: [] };
  const boundary = (edge: number) => {
    const near = readings
      .filter((r) => Math.abs(r.at - edge) <= rules.toleranceMs)
      .sort((a, b) => Math.abs(a.at - edge) - Math.abs(b.at - edge) || a.at - b.at)[0];
    if (near) return { kind: 'read', reading: near } as const;
    const before = readings.filter((r) => r.at < edge).at(-1);
    if (before && edge - before.at <= 2 * rules.pollMs) {
      return { kind: 'late', reading: before } as const;
    }
    return { kind: 'unread', reading: null } as const;
  };
  const hours: [number, number | null, string][] = [];
  const gaps: [number, number, number][] = [];
  const at = hourOf(first.at);
  for (let start = at; start + HOUR_MS + rules.toleranceMs < end; start += HOUR_MS) {
    const opening = start === at ? { kind: 'first', reading: first } : boundary(start);
    const closing = boundary(start + HOUR_MS);
    const from = opening.reading ?? readings.find((r) => r.at >= start);
    const to = closing.reading ?? readings.filter((r) => r.at < start + HOUR_MS).at(-1);
    if (hours.length === 0 && closing.reading === first && closing.kind === 'read') continue;
    if (!from || !to || from === to || from.at > to.at) {
      hours.push([start, null, 'M']);
    } else {
      const whole = opening.kind === 'read' && closing.kind === 'read' && hours.length > 0;
      hours.push([start, to.total - from.total, whole ? 'A' : 'P']);
    }
    if (closing.kind === 'unread') {
      const begin = readings.filter((r) => r.at < start + HOUR_MS).at(-1) as Reading;
      const finish = readings.find((r) => r.at >= start + HOUR_MS);
      const previous = gaps.at(-1);
      const stop = finish ?? { at: Number.POSITIVE_INFINITY, total: begin.total };
      if (previous && previous[1] >= begin.at) {
        const base = readings.find((r) => r.at === previous[0]) as Reading;
        gaps[gaps.length - 1] = [base.at, stop.at, stop.total - base.total];
      } else gaps.push([begin.at, stop.at, stop.total - begin.total]);
    }
  }
  return { hours, gaps };
}
