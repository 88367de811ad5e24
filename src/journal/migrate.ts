// Brings a journal of an earlier version up to date in place; a cut in the middle is gone on from at the next opening.

import type { Store, StoreChange } from '../boundaries.ts';
import { isOfNewerVersion, keys, unseal, within } from '../codec/journal-record.ts';
import { renewRecord, unsealV1 } from '../codec/journal-v1.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { encodeMeta, type Meta } from './meta.ts';
import { EVERYTHING, textAt } from './records.ts';

/** Records of one synced write: large enough to be quick, small enough to be no burden on memory. */
const PORTION = 500;

/**
 * Renews the records of version 1, each exactly once. `store.newer` for a journal that a newer program has written, which
 * is left as it is. Before its first record is renewed the journal's name is, so that the older program refuses it
 * from then on; the name says so until the last record is done. Throws StoreLost.
 */
export async function migrate(store: Store): Promise<Result<void>> {
  const text = await textAt(store, keys.meta);
  if (text !== undefined && isOfNewerVersion(keys.meta, text)) {
    return faulty(
      'store.newer',
      'this journal was written by a newer version of the program, which alone can read it',
    );
  }
  const meta = unseal(keys.meta, text ?? '') as Meta | undefined;
  if (meta ? meta.from === undefined : !(await isOld(store, text))) return good(undefined);
  const begun = meta ?? (unsealV1(keys.meta, text ?? '') as Meta | undefined);
  if (!meta && begun) {
    const { epoch, collector } = begun;
    const value = encodeMeta({ epoch, collector, from: 1 });
    const told = await store.write([{ key: keys.meta, value }]);
    if (!told.ok) return told;
  }
  const done = await renewAll(store);
  if (!done.ok || !begun) return done;
  const { epoch, collector } = begun;
  return store.write([{ key: keys.meta, value: encodeMeta({ epoch, collector }) }]);
}

/** By its name, or, where that is damaged, by any other record that there must be. */
async function isOld(store: Store, meta: string | undefined): Promise<boolean> {
  if (meta !== undefined && unsealV1(keys.meta, meta) !== undefined) return true;
  if (unsealV1(keys.nextRow, (await textAt(store, keys.nextRow)) ?? '') !== undefined) return true;
  for (const prefix of ['d/', 's/']) {
    for await (const [key, text] of store.entries({ ...within(prefix), limit: 1 })) {
      if (unsealV1(key, text) !== undefined) return true;
    }
  }
  return false;
}

async function renewAll(store: Store): Promise<Result<void>> {
  let { from } = EVERYTHING;
  for (;;) {
    const portion = await store.portion({ ...EVERYTHING, from, limit: PORTION });
    const changes = portion.flatMap(([key, text]) => renewed(key, text));
    if (changes.length > 0) {
      const written = await store.write(changes);
      if (!written.ok) return written;
    }
    const last = portion.at(-1);
    if (portion.length < PORTION || !last) return good(undefined);
    from = `${last[0]}\0`;
  }
}

/** The name is renewed first and last. */
function renewed(key: string, text: string): StoreChange[] {
  if (key === keys.meta) return [];
  return (renewRecord(key, text) ?? []).map(([name, value]) => ({ key: name, value }));
}
