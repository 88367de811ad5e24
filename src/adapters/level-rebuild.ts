// Builds a store anew from what LevelDB's tables and logs still hold: the newest sound version of every key, block by block.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store, StoreChange } from '../boundaries.ts';
import { isSealed } from '../codec/journal-record.ts';
import { unless } from './files.ts';
import {
  type Change,
  changesIn,
  changesInLog,
  isBlockSound,
  tableIn,
  tablesNamedIn,
} from './level-files.ts';
import { isManifest, isTable, levelFilesIn } from './level-folder.ts';
import { openLevelStore } from './level-store.ts';

const NO_BYTES = Buffer.alloc(0);

/** Changes of one write. */
const BATCH = 1_000;

/**
 * Names of the tables in `folder` that have a damaged block, are cut short or cannot be read. One that the MANIFEST does not
 * name was never finished, for its writing was cut off by a stop or a power cut: LevelDB removes it unread.
 */
export async function damagedTables(folder: string): Promise<string[]> {
  const named = await tablesNamed(folder);
  const damaged: string[] = [];
  for (const name of (await levelFilesIn(folder)).filter(isTable)) {
    if (named && !named.has(Number.parseInt(name, 10))) continue;
    const file = await unless(readFile(join(folder, name)), ['EIO', 'ENOENT']);
    const table = file && tableIn(file);
    const isSound =
      table && !table.isDamaged && table.blocks.every((block) => isBlockSound(file, block));
    if (!isSound) damaged.push(name);
  }
  return damaged;
}

/** Undefined where that cannot be made out. */
async function tablesNamed(folder: string): Promise<ReadonlySet<number> | undefined> {
  const read = (name: string) => unless(readFile(join(folder, name)), ['EIO', 'ENOENT']);
  const current = (await read('CURRENT'))?.toString('latin1').trim() ?? '';
  const manifest = isManifest(current) ? await read(current) : undefined;
  return manifest && tablesNamedIn(manifest);
}

/** A run of changes in the order of keys; of one key the newest first. */
interface Run {
  peek(): Change | undefined;
  /** Goes on; a promise where a file must be read first. */
  next(): Promise<void> | undefined;
}

/**
 * Makes a new store in `target` from the files in `source`. Where a block's check sum does not hold, what can be made out
 * of it counts only for keys of which nothing else is known: the records prove themselves. Throws what the disk does.
 */
export async function rebuildStore(source: string, target: string): Promise<void> {
  const made = await openLevelStore(target);
  if (!made.ok) throw new Error(made.fault.detail);
  const store = made.value;
  try {
    const doubtful = new Map<string, Change>();
    const doubt = (changes: readonly Change[]) => {
      for (const change of changes) {
        const known = doubtful.get(change.key);
        if (change.value !== null && (!known || isBetter(change, known))) {
          doubtful.set(change.key, change);
        }
      }
    };
    await copyRuns(await runsIn(source, doubt), store, doubtful);
    const late = [...doubtful.values()].filter(({ key }) => PRINTABLE.test(key));
    await put(store, late);
  } finally {
    await store.close();
  }
}

/**
 * Of two changes of a key in damaged blocks: the one that proves itself, then the newer. A bit that flipped in one key is in those after
 * it too, as far as they share it: entries then read as older ones of the same block, and newer than those.
 */
function isBetter(change: Change, known: Change): boolean {
  const [isProved, wasProved] = [change, known].map(
    ({ key, value }) => value !== null && isSealed(key, value),
  );
  return isProved === wasProved ? change.seq > known.seq : isProved === true;
}

/** Keys of the journal; a damaged key may be anything. */
const PRINTABLE = /^[\x20-\x7e]+$/;

async function runsIn(source: string, doubt: (changes: readonly Change[]) => void): Promise<Run[]> {
  const runs: Run[] = [];
  const logged: Change[] = [];
  for (const name of await levelFilesIn(source)) {
    const path = join(source, name);
    if (isTable(name)) runs.push(await tableRun(path, doubt));
    if (!name.endsWith('.log')) continue;
    const file = await unless(readFile(path), ['EIO']);
    const { sound, doubtful } = changesInLog(file ?? NO_BYTES);
    for (const change of sound) logged.push(change);
    doubt(doubtful);
  }
  logged.sort(byKey);
  runs.push(listRun(logged));
  return runs;
}

function byKey(a: Change, b: Change): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return b.seq - a.seq;
}

function listRun(list: readonly Change[]): Run {
  let at = 0;
  return {
    peek: () => list[at],
    next() {
      at += 1;
      return undefined;
    },
  };
}

/**
 * A table is read when its first key is reached, and let go after its last: most tables do not overlap. What is doubtful of it is told
 * before: a damaged key may be the twin of any sound one, also of one that was long passed.
 */
async function tableRun(path: string, doubt: (changes: readonly Change[]) => void): Promise<Run> {
  const read = async () => (await unless(readFile(path), ['EIO', 'ENOENT'])) ?? NO_BYTES;
  let file = await read();
  const { blocks } = tableIn(file);
  for (const handle of blocks) {
    if (!isBlockSound(file, handle)) doubt(changesIn(file, handle).changes);
  }
  let block = 0;
  let list: readonly Change[] = [];
  let at = 0;
  const fill = () => {
    while (at >= list.length && block < blocks.length) {
      const handle = blocks[block];
      block += 1;
      if (!handle) continue;
      const { changes, isSound } = changesIn(file, handle);
      list = isSound ? changes : [];
      at = 0;
    }
    if (at >= list.length) file = NO_BYTES;
  };
  fill();
  const step = () => {
    at += 1;
    fill();
    return undefined;
  };
  let isHeld = false;
  file = NO_BYTES;
  return {
    peek: () => list[at],
    next() {
      if (isHeld) return step();
      isHeld = true;
      return read().then((bytes) => {
        file = bytes;
        step();
      });
    },
  };
}

/** Walks all runs side by side and keeps of each key the newest change. */
async function copyRuns(
  runs: readonly Run[],
  store: Store,
  doubtful: Map<string, Change>,
): Promise<void> {
  const live = runs.filter((run) => run.peek() !== undefined).sort(byHead);
  let kept: Change[] = [];
  for (let least = live[0]; least; least = live[0]) {
    const change = least.peek() as Change;
    const read = least.next();
    if (read) await read;
    live.shift();
    if (least.peek() !== undefined) live.splice(placeOf(live, least), 0, least);
    if (change.key === kept.at(-1)?.key) continue;
    kept.push(change);
    doubtful.delete(change.key);
    if (kept.length < BATCH) continue;
    const last = kept.pop();
    await put(store, kept);
    kept = last ? [last] : [];
  }
  await put(store, kept);
}

const byHead = (a: Run, b: Run) => byKey(a.peek() as Change, b.peek() as Change);

/** Where a run belongs among those that are in the order of their heads. */
function placeOf(live: readonly Run[], run: Run): number {
  let low = 0;
  let high = live.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byHead(live[middle] as Run, run) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function put(store: Store, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; from += BATCH) {
    const batch: StoreChange[] = [];
    for (const { key, value } of changes.slice(from, from + BATCH)) {
      if (value !== null) batch.push({ key, value });
    }
    const written = await store.write(batch);
    if (!written.ok) throw new Error(written.fault.detail);
  }
}
