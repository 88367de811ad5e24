// A meter under the leak watch in tests: an even leak and some use, and what can be done to its readings.

import { Random } from '../../../simulator/random.ts';
import {
  beginWatch,
  type LeakEvent,
  type Watch,
  type WatchStep,
  watch,
} from '../../../src/domain/leaks/watch.ts';
import type { Dial } from '../../../src/domain/units.ts';

export const DIAL: Dial = { digits: 8, unit: 'ft3', pow10: -1 };
export const POLL_MS = 900_000;
export const HOUR_MS = 3_600_000;
export const T0 = Date.UTC(2026, 4, 1);
export const RULES = { dial: DIAL, pollMs: POLL_MS };

export interface Register {
  readonly at: number;
  readonly count: number;
}

export interface Water {
  readonly days: number;
  readonly seed: string;
  /** Counts an hour from `from` to `to`, in days. */
  readonly leak?: { readonly perHour: number; readonly from: number; readonly to: number };
}

/** A house that sleeps from 22 to 6 hours and draws by day; the dial at each poll. */
export function registers({ days, seed, leak }: Water): Register[] {
  const random = new Random(seed);
  const out: Register[] = [];
  let used = random.next();
  let leaked = 0;
  for (let poll = 0; poll < days * 96; poll++) {
    const day = poll / 96;
    const hour = (day % 1) * 24;
    const awake = hour >= 6 && hour < 22;
    if (awake && random.chance(0.3)) used += random.waiting(4);
    if (!awake && random.chance(0.02)) used += 2.5;
    if (leak && day >= leak.from && day < leak.to) leaked += leak.perHour / 4;
    out.push({ at: T0 + poll * POLL_MS, count: Math.floor(used + leaked) });
  }
  return out;
}

/** Steps between registers; `broken` where a register's place is named. */
export function steps(
  all: readonly Register[],
  broken: ReadonlySet<number> = new Set(),
): WatchStep[] {
  return all.slice(1).map((one, i) => {
    const before = all[i] as Register;
    const elapsedMs = one.at - before.at;
    return { at: one.at, elapsedMs, counts: one.count - before.count, broken: broken.has(i + 1) };
  });
}

/** All events over the steps, from a new watch or from the one given. */
export function watchAll(
  all: readonly WatchStep[],
  from: Watch = beginWatch(),
  rules = RULES,
): { state: Watch; events: LeakEvent[] } {
  const events: LeakEvent[] = [];
  let state = from;
  for (const step of all) {
    const after = watch(state, step, rules);
    state = after.state;
    events.push(...after.events);
  }
  return { state, events };
}

export const raises = (events: readonly LeakEvent[]) =>
  events.filter(({ phase }) => phase === 'raise');
export const clears = (events: readonly LeakEvent[]) =>
  events.filter(({ phase }) => phase === 'clear');
