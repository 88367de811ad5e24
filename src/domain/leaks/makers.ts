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

/** What the rules remember of one meter. Plain JSON. */
export interface MakersState {
  /** The open slot (a number of quarter hours, or of hours, since 1970) and whether the dial moved in it. */
  readonly slot: number | null;
  readonly moved: boolean;
  /** The last 24 hours of closed slots, the newest last: 1 moved, 0 did not; unread slots are left out. */
  readonly slots: readonly (0 | 1)[];
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
  if (state.slot === slot || state.slot === null) {
    return { state: { ...state, slot, moved: state.moved || counts > 0 }, events: [] };
  }
  const closing = state.slot;
  const size = (QUARTERS * QUARTER_MS) / length;
  const slots = [...state.slots, state.moved ? 1 : 0].slice(-size) as (0 | 1)[];
  const events: MakersEvent[] = [];
  const standing = MAKERS_RULES.filter((rule) => {
    const stood = state.standing.includes(rule);
    // Hours are hours of the clock: they are judged when one ends.
    const due = rule !== 'hours-24' || size !== QUARTERS || (closing + 1) % HOUR_QUARTERS === 0;
    const stands = due ? applies(rule, slots, size, stood) : stood;
    if (stands !== stood) events.push({ rule, phase: stands ? 'raise' : 'clear', at });
    return stands;
  });
  return { state: { slot, moved: counts > 0, slots, standing }, events };
}

function applies(
  rule: MakersRule,
  slots: readonly (0 | 1)[],
  size: number,
  stood: boolean,
): boolean {
  if (slots.length < size) return false;
  const byQuarters = size === QUARTERS;
  const moved = slots.filter((one) => one === 1).length;
  const hour = byQuarters ? HOUR_QUARTERS : 1;
  switch (rule) {
    case 'quarters-96':
      return byQuarters && moved === size;
    case 'quarters-50':
      // It ends as makers have it: after a day below, not at the next quarter.
      return byQuarters && (moved >= SOME || (stood && moved > 0 && moved >= SOME / 2));
    case 'hours-24':
      return inEachHour(slots, hour);
    case 'no-idle-hour':
      return longestRest(slots) < hour;
  }
}

function inEachHour(slots: readonly (0 | 1)[], hour: number): boolean {
  for (let from = 0; from < slots.length; from += hour) {
    if (!slots.slice(from, from + hour).includes(1)) return false;
  }
  return true;
}

function longestRest(slots: readonly (0 | 1)[]): number {
  let longest = 0;
  let rest = 0;
  for (const moved of slots) {
    rest = moved === 1 ? 0 : rest + 1;
    longest = Math.max(longest, rest);
  }
  return longest;
}
