// Instants that a head-end writes: with their zone, or they are none.

import type { EpochMs } from '../domain/units.ts';

/** ISO 8601: a day (of UTC), or an instant with `Z` or an offset. */
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * NaN for what is no instant. `Date.parse` takes one without a zone for the local time of this machine, `1` for a year, and the
 * 30th of February for the 2nd of March: each would be another hour of a bill.
 */
export function readInstant(text: unknown): EpochMs {
  const [, year, month, day] = (typeof text === 'string' && INSTANT.exec(text)) || [];
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= days ? Date.parse(text as string) : Number.NaN;
}
