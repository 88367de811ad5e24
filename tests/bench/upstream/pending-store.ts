// Fills a journal with hours that wait for a broker, as a street leaves them in so many hours without one.

import type { Store, StoreChange } from '../../../src/boundaries.ts';
import { encodeEntryKey, keyOfRow, keys, seal } from '../../../src/codec/journal-record.ts';
import type { EntryRow } from '../../../src/domain/entry.ts';
import type { Result } from '../../../src/domain/fault.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import {
  FINE,
  hourOf,
  type Meter,
  meterName,
  RULES,
  recordsOf,
  stateRecords,
} from '../old-store.ts';

const HOUR = 3_600_000;
/** Records of a batch: more would only be memory. */
const BATCH = 5_000;

/** Writes `hours` hours of each meter up to `end` into the empty store, none of them delivered. */
export async function fillPending(
  openStore: () => Promise<Result<Store>>,
  options: { meters: number; hours: number; end: number },
): Promise<void> {
  const begin = options.end - options.hours * HOUR;
  const meters = Array.from(
    { length: options.meters },
    (_, i): Meter => ({ meter: meterName(i), steps: 0, total: 0, at: begin, since: begin }),
  );
  const journal = must(
    await openJournal({ collector: 'COL-1', openStore, newEpoch: () => 'BENCH' }),
  );
  for (const { meter } of meters) journal.declare(meter, { dial: FINE, registerId: null }, RULES);
  await journal.close();
  const store = must(await openStore());
  let changes: StoreChange[] = [];
  const ship = async () => {
    must(await store.write(changes));
    changes = [];
  };
  let row = 0;
  for (let start = begin; start < options.end; start += HOUR) {
    for (const one of meters) {
      row += 1;
      const before = one.total;
      one.total += (row * 7) % 40;
      one.at = start + HOUR + 200;
      changes.push(...pendingHour(hourOf(one, start, before, row)));
    }
    if (changes.length >= BATCH) await ship();
  }
  changes.push(...meters.flatMap((one) => stateRecords(one, begin, options.end)));
  changes.push({ key: keys.nextRow, value: seal(keys.nextRow, row + 1) });
  await ship();
  await store.close();
}

function pendingHour(hour: EntryRow): StoreChange[] {
  const waits = keys.pending(hour.meter, hour.row);
  return [...recordsOf(hour), { key: waits, value: encodeEntryKey(waits, keyOfRow(hour)) }];
}

export function must<T>(outcome: Result<T>): T {
  if (!outcome.ok) throw new Error(outcome.fault.detail);
  return outcome.value;
}
