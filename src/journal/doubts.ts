// What speaks against the standing records of a store that was just opened: its own hours and increments, and the mark.

import type { Store } from '../boundaries.ts';
import { decodeEntryKey, decodeRow, keys, within } from '../codec/journal-record.ts';
import type { Installation } from '../domain/advance.ts';
import type { Loaded } from './load.ts';
import type { Mark, MarkedMeter } from './mark.ts';
import { type Reached, reachedIn } from './reached.ts';
import { LOOK_BACK, textAt } from './records.ts';

export interface Doubts {
  /** Meters whose state or facts are missing, or behind what is proved, with the reason. */
  readonly meters: ReadonlyMap<string, string>;
  /** The next row that is surely free. */
  readonly nextRow: number;
  /** Rows or records of the store are missing or damaged. */
  readonly words: readonly string[];
  readonly reached: ReadonlyMap<string, Reached>;
}

/** Examines what was loaded. Throws StoreLost. */
export async function doubtsOf(
  store: Store,
  { standing, damaged, restored }: Loaded,
  mark: Mark | undefined,
): Promise<Doubts> {
  const reached = await reachedIn(store);
  const present = presentFacts(standing.facts);
  const meters = new Map<string, string>(restored ? [...present.keys()].map(asRestored) : []);
  const named = [...standing.states.keys(), ...present.keys(), ...reached.keys()];
  for (const meter of new Set([...named, ...Object.keys(mark?.meters ?? {})])) {
    const state = standing.states.get(meter);
    const isDescribed = state && standing.facts.has(`${meter}/${state.inst}`);
    const inst = present.get(meter) ?? 0;
    const doubt = isDescribed
      ? behind(state, reached.get(meter), mark?.meters[meter], inst)
      : 'its state or its facts are missing';
    if (doubt) meters.set(meter, doubt);
  }
  const nextRow = Math.max(standing.nextRow, mark?.nextRow ?? 1, (await lastRowIn(store)) + 1);
  const words = [...meters].map(([meter, doubt]) => `${meter}: ${doubt}`);
  for (const [key] of damaged) words.push(`${key} is damaged or missing`);
  if (nextRow > standing.nextRow) words.push(`rows up to ${nextRow - 1} were given`);
  if (mark?.clean && mark.pending !== sum(standing.pending.values())) {
    words.push('other rows are pending than at the clean stop');
  }
  return { meters, nextRow, words, reached };
}

/** More may have been told of every meter than a backup knows of. */
const asRestored = (meter: string) => [meter, 'restored from a backup'] as const;

function behind(
  state: Installation,
  reached: Reached | undefined,
  mark: MarkedMeter | undefined,
  described: number,
): string | undefined {
  const { inst, steps } = state;
  if (described > inst) return `installation ${described} has begun`;
  const { step, hour } = reached ?? {};
  if (step && isAhead(step.inst, inst, step.seq >= steps)) {
    return 'its state is older than its increments';
  }
  if (hour && isAhead(hour.inst, inst, !isTold(state, hour.start))) {
    return 'its state is older than its hours';
  }
  const isBehind = mark && isAhead(mark.facts.inst, inst, isBehindMark(state, mark));
  return isBehind ? 'its state is older than the mark' : undefined;
}

/** A later installation is ahead, or something further on in the same. */
const isAhead = (other: number, own: number, isFurther: boolean) =>
  other > own || (other === own && isFurther);

function isTold({ hours }: Installation, start: number): boolean {
  return hours !== null && (start < hours.start || start < hours.until);
}

function isBehindMark({ steps, hours }: Installation, mark: MarkedMeter): boolean {
  if (mark.steps > steps) return true;
  // After a clock went back the open hour is an earlier one, and `until` says so, or `rev` where `until` lies far ahead already.
  const isSameClock = mark.until >= (hours?.until ?? 0) && mark.rev >= (hours?.rev ?? 0);
  return mark.hour !== null && isSameClock && mark.hour > (hours?.start ?? 0);
}

function presentFacts(facts: Loaded['standing']['facts']): Map<string, number> {
  const present = new Map<string, number>();
  for (const { meter, inst } of facts.values()) {
    present.set(meter, Math.max(inst, present.get(meter) ?? 0));
  }
  return present;
}

/** The newest row that an entry bears out: the key alone, damaged, could claim any number. */
async function lastRowIn(store: Store): Promise<number> {
  const range = { ...within('r/'), reverse: true, limit: LOOK_BACK };
  for await (const [key, text] of store.entries(range)) {
    const entryKey = decodeEntryKey(key, text);
    if (entryKey === undefined) continue;
    const row = decodeRow(entryKey, (await textAt(store, entryKey)) ?? '')?.row;
    if (row !== undefined && keys.row(row) === key) return row;
  }
  return 0;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
