// Puts a restored store in the place of a journal's, so that a cut in the middle leaves the old one or the new one.

import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreChange } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { exists, makeFolder, moveIn, removeTree, syncTree } from './files.ts';
import { isLevelHeld, openLevelStore } from './level-store.ts';
import { freeLock, tryLock } from './lock-file.ts';

/** Records of one synced write. */
const BATCH = 1_000;

/** Stands while somebody opens, mends or replaces what is in the folder: LevelDB's own lock is only held over an open store. */
export const OPENING = 'opening';

/** Stands in a store that was restored until it is in its place: what lies beside it is of the one before. */
export const RESTORED = 'RESTORED';

/**
 * Builds a store of `records` beside the one in the data folder, puts that aside (`quarantine/store`) and the new one in
 * its place. `store.locked` while anybody has the journal open; after any fault the folder is as it was.
 */
export async function placeStore(
  folder: string,
  records: AsyncIterable<readonly [key: string, value: string]>,
): Promise<Result<number>> {
  const lock = join(folder, OPENING);
  try {
    await makeFolder(folder, 0o700);
    if (!(await tryLock(lock))) return held(folder);
    try {
      return await placeAlone(folder, records);
    } finally {
      await freeLock(lock);
    }
  } catch (cause) {
    return faulty('store.failed', cause instanceof Error ? cause.message : String(cause));
  }
}

const held = (folder: string) =>
  faulty('store.locked', `another process holds the journal in ${join(folder, 'store')}`);

async function placeAlone(
  folder: string,
  records: AsyncIterable<readonly [key: string, value: string]>,
): Promise<Result<number>> {
  const [aside, store, old] = [join(folder, 'repair'), join(folder, 'store'), oldIn(folder)];
  let isPutAside = false;
  try {
    await removeTree(aside);
    const built = await build(aside, records);
    if (!built.ok) return built;
    await writeFile(join(aside, RESTORED), '');
    await syncTree(aside);
    // Who opened it without asking for the lock, as earlier versions do, keeps it.
    if (await isLevelHeld(store)) return held(folder);
    await removeTree(wholeIn(folder));
    await moveIn(aside, wholeIn(folder));
    if (await exists(store)) {
      await makeFolder(join(folder, 'quarantine'));
      await removeTree(old);
      isPutAside = true;
      await moveIn(store, old);
    }
    // From here on the next opening finishes what is cut off: it finds a whole store under this name, and no other.
    await putInPlace(folder);
    await rm(join(store, RESTORED)).catch(() => undefined);
    return built;
  } finally {
    // Where it was not good, the old one comes back.
    if (isPutAside && !(await exists(store))) await rename(old, store);
    for (const debris of [aside, `${aside}.new`, wholeIn(folder)]) await removeTree(debris);
  }
}

/** The name that is only given to a whole store. */
const wholeIn = (folder: string) => join(folder, 'store.repaired');
const oldIn = (folder: string) => join(folder, 'quarantine', 'store');

/** Moves the whole store beside it into the place that is empty now. */
export async function putInPlace(folder: string): Promise<void> {
  if (await exists(join(wholeIn(folder), RESTORED))) {
    // What was kept of the store before, how far that was and what was amiss with it say nothing of this one.
    for (const name of ['mark', 'kept', 'signs']) await removeTree(join(folder, name));
  }
  await moveIn(wholeIn(folder), join(folder, 'store'));
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
