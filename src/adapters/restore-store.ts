// Puts a restored store in the place of a journal's, so that a cut in the middle leaves the old one or the new one.

import { join } from 'node:path';
import type { StoreChange } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { openLevelStore } from './level-store.ts';
import { exists, makeFolder, moveIn, removeTree, syncTree } from './store-files.ts';

/** Records of one synced write. */
const BATCH = 1_000;

/**
 * Builds a store of `records` beside the one in the data folder, puts that aside (`quarantine/store`) and the new one in
 * its place. Nobody may have the journal open.
 */
export async function placeStore(
  folder: string,
  records: AsyncIterable<readonly [key: string, value: string]>,
): Promise<Result<number>> {
  const aside = join(folder, 'repair');
  const whole = join(folder, 'store.repaired');
  const store = join(folder, 'store');
  try {
    await makeFolder(folder, 0o700);
    await removeTree(aside);
    const built = await build(aside, records);
    if (!built.ok) return built;
    await syncTree(aside);
    // What is kept of the old store, and the mark of how far it was, say nothing of the new one.
    for (const name of ['mark', 'kept', 'store.repaired']) await removeTree(join(folder, name));
    await moveIn(aside, whole);
    if (await exists(store)) {
      const old = join(folder, 'quarantine', 'store');
      await makeFolder(join(folder, 'quarantine'));
      await removeTree(old);
      await moveIn(store, old);
    }
    // From here on the next opening finishes what is cut off: it finds a whole store under this name, and no other.
    await moveIn(whole, store);
    return built;
  } catch (cause) {
    return faulty('store.failed', cause instanceof Error ? cause.message : String(cause));
  }
}

async function build(
  folder: string,
  records: AsyncIterable<readonly [key: string, value: string]>,
): Promise<Result<number>> {
  const store = await openLevelStore(folder);
  if (!store.ok) return store;
  let count = 0;
  let changes: StoreChange[] = [];
  try {
    for await (const [key, value] of records) {
      changes.push({ key, value });
      count += 1;
      if (changes.length < BATCH) continue;
      const written = await store.value.write(changes);
      if (!written.ok) return written;
      changes = [];
    }
    const written = await store.value.write(changes);
    return written.ok ? good(count) : written;
  } finally {
    await store.value.close();
  }
}
