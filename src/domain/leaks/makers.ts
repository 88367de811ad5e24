// The rules by which makers of meters tell leaks, by name, for utilities that want them beside the watch.

import type { EpochMs } from '../units.ts';

/**
 * `quarters-96`: the dial moved in all of the last 96 quarter hours. `quarters-50`: in 50 of them or more. `hours-24`: in
 * each of the last 24 hours. `no-idle-hour`: no full hour without movement within 24 hours.
 */
export const MAKERS_RULES = ['quarters-96', 'quarters-50', 'hours-24', 'no-idle-hour'] as const;
export type MakersRule = (typeof MAKERS_RULES)[number];

/** Codes under which they are told (contract E2); the rule's name is in the evidence. */
export const MAKERS_CODES = {
  'quarters-96': 'leak.continuous',
  'quarters-50': 'leak.intermittent',
  'hours-24': 'leak.continuous',
  'no-idle-hour': 'leak.continuous',
} as const satisfies Readonly<Record<MakersRule, string>>;

const QUARTER_MS = 900_000;
const QUARTERS = 96;
const SOME = 50;
const HOUR_QUARTERS = 4;
/** Readings further apart than so many polls, and than a slot, do not tell in which slot their counts came. */
const MISSED_POLLS = 1.5;
/** Of a day less of which was read nothing is said. */
const READ_LEAST = 0.75;

/** Whether the dial moved; null: unread. */
type Slot = 0 | 1 | null;

/** What the rules remember of one meter. Plain JSON. */
export interface MakersState {
  /** The open slot (a number of quarter hours, or of hours, since 1970) and whether the dial moved in it; null: unread. */
  readonly slot: number | null;
  readonly moved: boolean | null;
  /** The last 24 hours of closed slots, the newest last. */
  readonly slots: readonly Slot[];
  readonly standing: readonly MakersRule[];
}

export const NO_MAKERS: MakersState = { slot: null, moved: false, slots: [], standing: [] };

export interface MakersEvent {
  readonly rule: MakersRule;
  readonly phase: 'raise' | 'clear';
  readonly at: EpochMs;
}

/** One accepted reading. */
export interface MakersStep {
  readonly at: EpochMs;
  readonly elapsedMs: number;
  readonly counts: number;
}

/** Takes one accepted reading in. Rules of quarter hours say nothing where polls are further apart. */
export function applyMakers(
  state: MakersState,
  { at, elapsedMs, counts }: MakersStep,
  pollMs: number,
): { readonly state: MakersState; readonly events: readonly MakersEvent[] } {
  const length = pollMs > QUARTER_MS ? 4 * QUARTER_MS : QUARTER_MS;
  // The counts lie before the reading: those up to an hour's edge belong to the hour that it ends.
  const slot = Math.floor((at - Math.min(elapsedMs, length) / 2) / length);
  const isMissed = elapsedMs > Math.max(MISSED_POLLS * pollMs, length);
  const moved = isMissed ? null : counts > 0;
  const passed = slot - (state.slot ?? slot);
  if (passed < -1) return { state: { ...state, slot, moved, slots: [] }, events: [] };
  if (passed <= 0) {
    const now = state.slot === null ? moved : state.moved || moved;
    return { state: { ...state, slot: state.slot ?? slot, moved: now }, events: [] };
  }
  const size = (QUARTERS * QUARTER_MS) / length;
  // What a reading that was in time skips it has covered; what a clock leapt over, or nobody judged, it has not.
  const covered = Math.ceil(elapsedMs / length);
  const skipped = Math.min(passed - 1, size);
  const between = Array.from({ length: skipped }, (_, i) =>
    skipped - i > covered ? null : slotOf(moved),
  );
  const slots = [...state.slots, slotOf(state.moved), ...between].slice(-size);
  const events: MakersEvent[] = [];
  const standing = MAKERS_RULES.filter((rule) => {
    const stood = state.standing.includes(rule);
    // Hours are hours of the clock: they are judged when one ends.
    const due = rule !== 'hours-24' || size !== QUARTERS || slot % HOUR_QUARTERS === 0;
    const stands = due ? applies(rule, slots, size, stood) : stood;
    if (stands !== stood) events.push({ rule, phase: stands ? 'raise' : 'clear', at });
    return stands;
  });
  return { state: { slot, moved, slots, standing }, events };
}

const slotOf = (moved: boolean | null): Slot => (moved === null ? null : moved ? 1 : 0);

function applies(rule: MakersRule, slots: readonly Slot[], size: number, stood: boolean): boolean {
  const read = slots.filter((one) => one !== null).length;
  if (slots.length < size || read < READ_LEAST * size) return stood;
  const byQuarters = size === QUARTERS;
  const moved = slots.filter((one) => one === 1).length;
  const hour = byQuarters ? HOUR_QUARTERS : 1;
  switch (rule) {
    case 'quarters-96':
      return byQuarters && moved === read;
    case 'quarters-50':
      // It ends as makers have it: after a day below, not at the next quarter.
      return byQuarters && (moved >= SOME || (stood && moved > 0 && moved >= SOME / 2));
    case 'hours-24':
      return inEachHour(slots, hour);
    case 'no-idle-hour':
      return longestRest(slots) < hour;
  }
}

/** Of an hour in which a slot was unread nobody knows that the dial stood. */
function inEachHour(slots: readonly Slot[], hour: number): boolean {
  for (let from = 0; from < slots.length; from += hour) {
    if (slots.slice(from, from + hour).every((one) => one === 0)) return false;
  }
  return true;
}

function longestRest(slots: readonly Slot[]): number {
  let longest = 0;
  let rest = 0;
  for (const moved of slots) {
    rest = moved === 0 ? rest + 1 : 0;
    longest = Math.max(longest, rest);
  }
  return longest;
}
