// Closed hours that prove to lie in the future are taken back (I10): they become missing, their volume one gap.

import { newest } from './conservation.ts';
import type { Entry, GapEntry, HourEntry } from './entry.ts';
import { type Edge, freeFrom, type HourState } from './hours.ts';
import { ABSENCE_MAX_MS } from './moment.ts';
import { type EpochMs, hourOf } from './units.ts';

/**
 * A clock that was so far ahead when hours were thinned was wrong then: to wait until it is that time would keep hours back for as
 * long.
 */
const WAIT_MAX_MS = ABSENCE_MAX_MS;

/**
 * What happens from this instant on may be taken back at the true time `now`: nothing before `held`, where the hours that are still
 * held begin. Of what was thinned nobody knows any more what to take back, and it would count beside the true hours.
 */
export function takenBackFrom(now: EpochMs, held: EpochMs): EpochMs {
  return held - now > WAIT_MAX_MS ? now : Math.max(now, held);
}

/** Hours that begin at or after this instant end in the future of `now`, by more than the tolerance. */
export function futureFrom(now: EpochMs, toleranceMs: number): EpochMs {
  return hourOf(now + toleranceMs);
}

/** Whether hours were closed that are not over yet at the true time `now`. */
export function hasFutureHours(state: HourState, now: EpochMs, toleranceMs: number): boolean {
  return state.start > futureFrom(now, toleranceMs);
}

interface Restated {
  readonly state: HourState;
  readonly entries: readonly Entry[];
}

/**
 * Takes back the hours of `published` (entries of this installation) that begin at or after `start`, as `futureFrom`
 * gives it, and the gaps that end after `now`. Their volume, and what the open hour held, becomes one gap up to
 * `now`; the true hours will come with a higher `rev`.
 */
export function restate(
  state: HourState,
  published: readonly Entry[],
  now: EpochMs,
  start: EpochMs,
): Restated {
  const told = newest(published);
  const hours = told.filter((e): e is HourEntry => e.kind === 'hour' && e.start >= start);
  const gaps = told.filter((e): e is GapEntry => e.kind === 'gap' && e.to > now && e.use !== null);
  const growing = state.ended && !state.ended.sent ? state.ended : state.gap;
  const revs = [...hours, ...gaps].map((entry) => entry.rev);
  const rev = 2 + Math.max(state.rev, growing?.rev ?? 0, ...revs);
  const entries: Entry[] = hours.filter((hour) => hour.q !== 'M').map(takeBack);
  const base = gaps.filter((gap) => gap.from <= now).sort((a, b) => a.from - b.from)[0];
  for (const gap of gaps) {
    if (gap !== base) entries.push({ ...gap, use: null, rev: gap.rev + 1 });
  }
  // A gap that grows out of a published one begins where that one did: its volume is not on the way.
  const passed = gaps.filter((gap) => !(growing && gap.from === growing.from.at));
  const begun = growing?.from ?? state.from ?? state.last;
  const volume = [...hours, ...passed].reduce((sum, entry) => sum + (entry.use ?? 0), 0);
  // A gap's beginning is its key: another that stands at this instant keeps it, with its volume.
  const standing = told.filter((e): e is GapEntry => e.kind === 'gap' && !gaps.includes(e));
  const taken = standing.filter(({ use }) => use !== null).map((gap) => gap.from);
  const others = taken.filter((key) => key !== growing?.from.at);
  const at = base?.from ?? freeFrom(Math.min(begun.at, now), others);
  const from = { ...begun, at, total: begun.total - volume };
  // It ends no earlier than the hour it is sent with, which may begin within the tolerance after `now`.
  const to: Edge = { ...state.last, at: Math.max(start, Math.min(state.last.at, now)) };
  // What was told under this key is told again, also when it comes to nothing: a dial that went back takes back what it showed.
  const isTold = base !== undefined || (growing?.rev ?? 0) > 0;
  return {
    entries,
    state: {
      ...state,
      start,
      last: to,
      from: to,
      whole: false,
      first: false,
      n: 0,
      flags: ['clock'],
      gap: null,
      ended:
        isTold || to.total !== from.total
          ? {
              from,
              to: { ...to, at: Math.max(to.at, from.at) },
              why: 'clock',
              rev,
              flags: ['clock'],
              sent: false,
            }
          : null,
      until: Math.max(state.until, state.start),
      rev,
      ...(others.length > 0 && { taken: others }),
    },
  };
}

function takeBack(hour: HourEntry): HourEntry {
  const nothing = { read: null, at: null, total: null, use: null } as const;
  return { ...hour, ...nothing, q: 'M', flags: ['clock'], rev: hour.rev + 1 };
}
