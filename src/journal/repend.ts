// Rows whose pending record was lost are pending again: sent twice they count once, unsent they would count never.

import type { Store } from '../boundaries.ts';
import { decodeEntryKey, keys, within } from '../codec/journal-record.ts';
import type { Mark } from './mark.ts';
import { textAt } from './records.ts';
import type { Standing } from './standing.ts';

/** Rows looked back through: some weeks of 250 meters. */
const ROWS_MAX = 250_000;

/**
 * Pending keys to be written again, with their entries. Where fewer rows of a meter are pending than the mark tells, all
 * its rows since its oldest pending one are, and before that as many more as are short. Throws StoreLost.
 */
export async function shortOfPending(
  store: Store,
  { pending }: Standing,
  mark: Mark,
): Promise<Map<string, string>> {
  const again = new Map<string, string>();
  const short = shortIn(pending, mark);
  if (short.size === 0) return again;
  const oldest = await oldestPending(store, short.keys());
  const rows = { ...within('r/'), reverse: true, limit: ROWS_MAX };
  for await (const [key, text] of store.entries(rows)) {
    const entryKey = decodeEntryKey(key, text) ?? '';
    const meter = entryKey.split('/')[1] ?? '';
    const left = short.get(meter);
    if (left === undefined) continue;
    const row = Number(key.slice(2));
    if (row < (oldest.get(meter) ?? 0)) countDown(short, meter, left);
    const marker = keys.pending(meter, row);
    if ((await textAt(store, marker)) === undefined) again.set(marker, entryKey);
    if (short.size === 0) break;
  }
  return again;
}

function countDown(short: Map<string, number>, meter: string, left: number): void {
  if (left === 1) short.delete(meter);
  else short.set(meter, left - 1);
}

/** By meter, how many rows fewer are pending than the mark tells. */
function shortIn(pending: ReadonlyMap<string, number>, mark: Mark): Map<string, number> {
  const short = new Map<string, number>();
  for (const [meter, { pending: due }] of Object.entries(mark.meters)) {
    const missing = due - (pending.get(meter) ?? 0);
    if (missing > 0) short.set(meter, missing);
  }
  return short;
}

/** By meter; one without any has infinity. */
async function oldestPending(store: Store, meters: Iterable<string>): Promise<Map<string, number>> {
  const oldest = new Map<string, number>();
  for (const meter of meters) {
    oldest.set(meter, Number.POSITIVE_INFINITY);
    for await (const [key] of store.entries({ ...within(`p/${meter}/`), limit: 1 })) {
      oldest.set(meter, Number(key.split('/')[2]));
    }
  }
  return oldest;
}
