// An installation in the journal: what every reading moves, as short numbers, beside its circumstances, which seldom change.

import type { Installation } from '../domain/advance.ts';
import type { Edge, HourState } from '../domain/hours.ts';
import { readShortNumbers, shortNumbers } from './short-numbers.ts';

/** What stands in place of a moving part in the circumstances. */
const NO_EDGE: Edge = { seq: 0, at: 0, read: 0, total: 0 };

/** An installation whose moving parts all follow from its newest reading, as they do nearly always. */
interface Plain extends Installation {
  readonly last: NonNullable<Installation['last']>;
  readonly clock: NonNullable<Installation['clock']>;
  readonly hours: HourState;
}

/** True where `shortState` and `circumstances` together say everything; else the whole is to be kept. */
export function isPlain(state: Installation): state is Plain {
  const { last, hours, clock, held } = state;
  if (!last || !hours || !clock || held.length > 0 || clock.known !== undefined) return false;
  const { boot, heldSince, waitedOut } = last.clock;
  const sameClock =
    boot === clock.boot && heldSince === clock.heldSince && waitedOut === clock.waitedOut;
  return sameClock && last.clock.at === last.at && isSameEdge(hours.last, last);
}

/** What every reading moves: instants and the dial, at most 55 letters in a life of 20 years. */
export function shortState({ inst, steps, last, clock, hours, moved }: Plain): string {
  const { from } = hours;
  const numbers = [inst, steps, last.seq, last.at, last.read, last.total];
  numbers.push(clock.at - last.at, clock.mono, clock.mono - last.clock.mono);
  numbers.push(last.at - hours.start, hours.n, moved ? last.at - moved.at : 0);
  if (from) {
    const total = last.total - from.total;
    // On the same lap of the dial both have moved alike.
    numbers.push(last.seq - from.seq, last.at - from.at, total, last.read - from.read - total);
  }
  return shortNumbers(numbers);
}

/** The installation without what every reading moves, as plain JSON. */
export function circumstances(state: Plain): object {
  const { hours, moved } = state;
  const { boot, heldSince, waitedOut } = state.clock;
  return {
    ...state,
    steps: 0,
    last: null,
    clock: { boot, heldSince, waitedOut },
    moved: moved && { ...moved, at: 0 },
    hours: { ...hours, start: 0, n: 0, last: NO_EDGE, from: null },
  };
}

/** The installation of a short state and its circumstances; undefined where they do not belong together. */
export function stateOf(short: string, around: Plain): Installation | undefined {
  const numbers = readShortNumbers(short);
  if (numbers?.length !== 12 && numbers?.length !== 16) return undefined;
  const [inst, steps, seq, at, read, total, later, mono, since, lasted, n, still, ...open] =
    numbers as Numbers;
  if (inst !== around.inst) return undefined;
  const last: Edge = { seq, at, read, total };
  const clock = { ...around.clock, at: at + later, mono };
  return {
    ...around,
    steps,
    last: { ...last, clock: { ...clock, at, mono: mono - since } },
    clock,
    moved: around.moved && { ...around.moved, at: at - still },
    hours: { ...around.hours, start: at - lasted, n, last, from: edgeBefore(last, open) },
  };
}

type Twelve<T> = [T, T, T, T, T, T, T, T, T, T, T, T];
type Numbers = [...Twelve<number>, ...number[]];

function edgeBefore(last: Edge, [seq, lasted, total, lap]: readonly number[]): Edge | null {
  if (seq === undefined || lasted === undefined || total === undefined || lap === undefined) {
    return null;
  }
  return {
    seq: last.seq - seq,
    at: last.at - lasted,
    total: last.total - total,
    read: last.read - total - lap,
  };
}

/** True where the circumstances kept for `kept` are those of `state`. */
export function sameCircumstances(kept: Installation, state: Installation): boolean {
  return sameStanding(kept, state) && sameDoubts(kept, state);
}

/**
 * True where nothing is lost but timing (also that of readings held) if `state` is forgotten and `kept` remembered, as long as it brought no
 * increment and no row: registers are absolute, and what is doubted is seen again.
 */
export function sameStanding(kept: Installation, state: Installation): boolean {
  return (
    kept.inst === state.inst &&
    kept.birth === state.birth &&
    kept.initial === state.initial &&
    kept.alarms === state.alarms &&
    kept.disabled === state.disabled &&
    kept.maintenance === state.maintenance &&
    kept.reversedAt === state.reversedAt &&
    kept.moved?.longestIdleMs === state.moved?.longestIdleMs &&
    (kept.suspect === null) === (state.suspect === null) &&
    kept.stranger?.id === state.stranger?.id &&
    kept.clock?.boot === state.clock?.boot &&
    kept.clock?.heldSince === state.clock?.heldSince &&
    kept.clock?.waitedOut === state.clock?.waitedOut &&
    sameHours(kept.hours, state.hours)
  );
}

/** True where the open hour has only gone on. */
function sameHours(a: HourState | null, b: HourState | null): boolean {
  if (!a || !b) return a === b;
  return (
    a.whole === b.whole &&
    a.first === b.first &&
    a.person === b.person &&
    a.maintained === b.maintained &&
    a.gap === b.gap &&
    a.ended === b.ended &&
    a.until === b.until &&
    a.rev === b.rev &&
    a.taken === b.taken &&
    (a.from === null) === (b.from === null) &&
    a.flags.length === b.flags.length &&
    a.flags.every((flag, i) => flag === b.flags[i])
  );
}

/** Counters of what is doubted. */
function sameDoubts(kept: Installation, state: Installation): boolean {
  return (
    kept.unconfirmed === state.unconfirmed &&
    kept.rocked === state.rocked &&
    kept.suspect === state.suspect &&
    kept.silences === state.silences &&
    kept.unreadables === state.unreadables &&
    kept.stranger === state.stranger &&
    kept.turns === state.turns &&
    kept.turnedAt === state.turnedAt
  );
}

function isSameEdge(a: Edge, b: Edge): boolean {
  return a.seq === b.seq && a.at === b.at && a.read === b.read && a.total === b.total;
}
