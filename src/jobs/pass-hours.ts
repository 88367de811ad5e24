// Closes the hours of dials that only people read, on no bus.

import { nextClosing } from '../domain/schedule.ts';
import { type MeteredPlace, type PollParts, passTime } from '../pipeline.ts';

/** A long sleep is cut so that a wall clock that steps is noticed. */
const SLEEP_MAX_MS = 5 * 60_000;

/** Lets each hour's edge pass for `places` until `signal` aborts; `turned` is called each time the loop comes round. */
export async function passHours(
  places: readonly MeteredPlace[],
  parts: Omit<PollParts, 'bus'> & { readonly turned: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { clock } = parts;
  while (places.length > 0 && !signal.aborted) {
    parts.turned();
    const now = clock.now();
    const wait = Math.min(...places.map(({ rules }) => nextClosing(now, rules.toleranceMs) - now));
    await clock.sleep(Math.min(wait, SLEEP_MAX_MS), signal);
    if (signal.aborted) return;
    for (const place of places) await passTime(place, parts, 'bus');
  }
}
