// Rows whose pending record was lost: found again, and never passed over where the medium fails.

import { expect, it } from 'vitest';
import type { Store } from '../../src/boundaries.ts';
import { encodeEntryKey, keys } from '../../src/codec/journal-record.ts';
import { faulty, StoreLost } from '../../src/domain/fault.ts';
import type { Mark } from '../../src/journal/mark.ts';
import { shortOfPending } from '../../src/journal/repend.ts';
import type { Standing } from '../../src/journal/standing.ts';
import { Medium } from '../fakes/memory-store.ts';

const METER = 'SP-00001';
const ENTRY = `e/${METER}/0001/00000001/0001`;
/** One row is pending by the mark, and none by what stands. */
const MARK = { meters: { [METER]: { pending: 1 } } } as unknown as Mark;
const STANDING = { pending: new Map<string, number>() } as Standing;

async function storeWithRow(): Promise<Store> {
  const opened = await new Medium().open();
  if (!opened.ok) throw new Error(opened.fault.detail);
  const key = keys.row(7);
  await opened.value.write([{ key, value: encodeEntryKey(key, ENTRY) }]);
  return opened.value;
}

it('a row whose pending record is gone is pending again', async () => {
  const again = await shortOfPending(await storeWithRow(), STANDING, MARK);
  expect([...again]).toEqual([[keys.pending(METER, 7), ENTRY]]);
});

it('a medium that fails under the search is said, not taken for rows that do not wait', async () => {
  const store = await storeWithRow();
  const get = () => Promise.resolve(faulty('store.failed', 'unreadable'));
  const sick: Store = Object.assign(Object.create(store) as Store, { get });
  await expect(shortOfPending(sick, STANDING, MARK)).rejects.toThrow(StoreLost);
});
