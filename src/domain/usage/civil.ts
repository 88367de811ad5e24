// Civil days: which local date an instant falls on, given by the zone and never worked out here.

import type { EpochMs } from '../units.ts';

/** A local date as days since 1970-01-01. */
export type CivilDay = number;

/** The local date at an instant. Whoever knows the zone's clock changes gives it. */
export type Zone = (at: EpochMs) => CivilDay;

/** The zone of a utility that keeps none. */
export const UTC: Zone = (at) => Math.floor(at / 86_400_000);

/** `2026-11-22` as a civil day; null for what is no date. */
export function dayOf(date: string): CivilDay | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const at = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(at) || dateOf(at / 86_400_000) !== date) return null;
  return at / 86_400_000;
}

/** The civil day as `2026-11-22`. */
export function dateOf(day: CivilDay): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** The last civil day, up to `day`, on which a month's `first` day falls; in a shorter month its last day stands for it. */
export function cycleStart(day: CivilDay, first: number): CivilDay {
  const date = new Date(day * 86_400_000);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const this_ = startIn(year, month, first);
  return this_ <= day ? this_ : startIn(year, month - 1, first);
}

function startIn(year: number, month: number, first: number): CivilDay {
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(first, length)) / 86_400_000;
}
