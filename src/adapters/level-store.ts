// The journal's medium: LevelDB through `level`, one synced batch at a time, faults as values.

import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Level } from 'level';
import type { KeyRange, Portion, Store, StoreChange } from '../boundaries.ts';
import { faulty, good, type Result, StoreLost } from '../domain/fault.ts';
import { makeFolder, moveIn, removeTree, syncTree } from './files.ts';
import { isLevelFolder } from './level-folder.ts';
import { bytesWorn, measureRoom } from './room.ts';

/** For a small box on flash: few descriptors (24 measured with 78 files), short compactions, little memory. */
const OPTIONS = {
  keyEncoding: 'utf8',
  valueEncoding: 'utf8',
  maxOpenFiles: 64,
  // Every flush of it is followed by compactions: a larger one is less wear, and still read at an opening within a second.
  writeBufferSize: 4 * 1024 * 1024,
  // Keys and times that follow each other closely: 31 bytes an increment become 26.
  blockSize: 16 * 1024,
  blockRestartInterval: 64,
  cacheSize: 4 * 1024 * 1024,
} as const;

/** Entries fetched at a time by an iteration, and the bytes at which a fetch stops sooner: one hop to the thread pool each. */
const CHUNK_ENTRIES = 1_000;
/** Whoever wants the first entry only has it with these. */
const FIRST_ENTRIES = 8;
const CHUNK_BYTES = 256 * 1024;

type Text = Level<string, string>;

/**
 * Opens the store in `folder`; creates it, with its parents, unless `create` is false. Keys are ASCII, so byte order is the order of
 * JavaScript's `<`. `store.locked` while another process or this one holds it, else `store.failed` in the cause's
 * words. After a failed write LevelDB refuses all further ones until it is opened again.
 */
export async function openLevelStore(
  folder: string,
  { create = true }: { readonly create?: boolean } = {},
): Promise<Result<Store>> {
  try {
    // LevelDB leaves a folder behind even where it may not create a store, and where a folder has lost its CURRENT it
    // begins anew and deletes the tables it finds: it is never let create in place.
    if (!(await isLevelFolder(folder))) {
      if (!create) return faulty('store.failed', `there is no journal in ${folder}`);
      await createAside(folder);
    }
    const level: Text = new Level(folder, { ...OPTIONS, createIfMissing: false });
    await level.open();
    return good(storeOver(level, folder));
  } catch (cause) {
    if (codeOf(rootOf(cause)) === 'LEVEL_LOCKED') {
      return faulty('store.locked', `another process holds the journal in ${folder}`);
    }
    return faulty('store.failed', `${folder}: ${wordsOf(cause)}`);
  }
}

/** Whether a process, this one too, has the store in `folder` open. Nothing of it is read or changed. */
export async function isLevelHeld(folder: string): Promise<boolean> {
  if (!(await isLevelFolder(folder))) return false;
  const level: Text = new Level(folder, { createIfMissing: false, errorIfExists: true });
  try {
    // LevelDB takes its lock, and only then finds that there is a store, or none.
    await level.open();
    await level.close();
    return false;
  } catch (cause) {
    return codeOf(rootOf(cause)) === 'LEVEL_LOCKED';
  }
}

/**
 * Creates an empty store beside its place, synced to the last folder, and renames it into place: LevelDB does not sync
 * its first MANIFEST, and 6 of 50 power cuts during a creation in place left a store that could not be opened.
 */
async function createAside(folder: string): Promise<void> {
  const aside = `${folder}.new`;
  await makeFolder(dirname(folder), 0o700);
  await removeTree(aside);
  // LevelDB's own making of it is that of node:fs, which may never end (see makeFolder).
  await makeFolder(aside);
  const level: Text = new Level(aside, { ...OPTIONS, createIfMissing: true });
  await level.open();
  await level.close();
  await syncTree(aside);
  await moveIn(aside, folder);
}

function storeOver(level: Text, folder: string): Store {
  return {
    ...roomOf(level as Sized, folder),
    // Without sync a power cut loses acknowledged writes; with it none was lost in 700 cuts.
    write: (changes) => attempt(() => writeAll(level, changes)),
    get: (key) => attempt(() => level.get(key)),
    getMany: (wanted) => attempt(() => level.getMany([...wanted])),
    entries: (range) => entriesOf(level, range),
    portion: (range) => portionOf(level, range),
    texts: async (range) => (await portionOf(level, range, false)).map((entry) => entry[1]),
    async close() {
      try {
        await level.close();
      } catch {
        // A store that cannot close has nothing left to lose: all that was acknowledged is synced.
      }
    },
  };
}

/** The outcome of a step, or the fault in the words of what it throws. */
async function attempt<T>(step: () => Promise<T>): Promise<Result<T>> {
  try {
    return good(await step());
  } catch (cause) {
    return faulty('store.failed', wordsOf(cause));
  }
}

/** What LevelDB offers beside the common store; `level` tells its types only of the latter. */
interface Sized extends Text {
  compactRange(from: string, to: string): Promise<void>;
  approximateSize(from: string, to: string): Promise<number>;
}

/** What the store takes up of its disk, and how it gives that back. */
function roomOf(level: Sized, folder: string): Pick<Store, 'compact' | 'room' | 'sizeOf' | 'worn'> {
  return {
    compact: ({ from, to }) => attempt(() => level.compactRange(from, to)),
    sizeOf: ({ from, to }) => attempt(() => level.approximateSize(from, to)),
    room: () => attempt(() => measureRoom(folder)),
    worn: bytesWorn,
  };
}

/** So many changes are handed over at a time: thousands at once would keep everybody else waiting for milliseconds. */
const SLICE_CHANGES = 256;

/** All or none of them. A chained batch: given as an array, each change is copied into objects first, at ten times the cost (measured). */
async function writeAll(level: Text, changes: readonly StoreChange[]): Promise<void> {
  const batch = level.batch();
  for (const [n, { key, value }] of changes.entries()) {
    // One that is small is on its way before anything else can happen to the store.
    if (n > 0 && n % SLICE_CHANGES === 0) await setImmediate();
    if (value === undefined) batch.del(key);
    else batch.put(key, value);
  }
  await batch.write({ sync: true });
}

type TextEntry = [key: string, value: string];

/**
 * The iterator holds LevelDB's snapshot of the moment of the first step. Written by hand: a generator takes longer to hand on an
 * entry than LevelDB to find it.
 */
function entriesOf(level: Text, range: KeyRange): AsyncIterable<TextEntry> {
  return { [Symbol.asyncIterator]: () => new Entries(level, range) };
}

/** The entries of one iteration. One caller, one step at a time. */
class Entries implements AsyncIterator<TextEntry, undefined> {
  readonly #level: Text;
  readonly #range: KeyRange;
  #chunks: ReturnType<typeof chunksOf> | undefined;
  #chunk: readonly TextEntry[] = [];
  #next = 0;
  #over = false;

  constructor(level: Text, range: KeyRange) {
    this.#level = level;
    this.#range = range;
  }

  next(): Promise<IteratorResult<TextEntry, undefined>> {
    const value = this.#chunk[this.#next];
    if (value === undefined) return this.#fetch();
    this.#next += 1;
    return Promise.resolve({ done: false, value });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#over = true;
    this.#chunk = [];
    await this.#chunks?.close();
    return { done: true, value: undefined };
  }

  async #fetch(): Promise<IteratorResult<TextEntry, undefined>> {
    if (this.#over) return { done: true, value: undefined };
    const entries = this.#chunks === undefined ? FIRST_ENTRIES : CHUNK_ENTRIES;
    try {
      this.#chunks ??= chunksOf(this.#level, this.#range);
      this.#chunk = await this.#chunks.next(entries);
    } catch (error) {
      await this.return();
      throw error;
    }
    const [value] = this.#chunk;
    if (value === undefined) return this.return();
    this.#next = 1;
    return { done: false, value };
  }
}

async function portionOf(level: Text, range: Portion, keys = true) {
  const iterator = chunksOf(level, range, keys);
  try {
    const entries = await iterator.next(range.limit);
    // A fetch stops sooner at so many bytes.
    for (let more = entries; more.length > 0 && entries.length < range.limit; ) {
      more = await iterator.next(range.limit - entries.length);
      for (const entry of more) entries.push(entry);
    }
    return entries;
  } finally {
    await iterator.close();
  }
}

function chunksOf(level: Text, range: KeyRange, keys = true) {
  return lost(() => {
    const iterator = level.iterator({
      gte: range.from,
      lt: range.to,
      reverse: range.reverse ?? false,
      limit: range.limit ?? -1,
      highWaterMarkBytes: CHUNK_BYTES,
      keys,
    });
    return {
      next: (entries: number) => lost(() => iterator.nextv(entries)),
      // Closing again what the medium or `close` has closed already is good.
      close: () => iterator.close().catch(() => undefined),
    };
  });
}

/** Runs a step of an iteration; whatever it throws or rejects with becomes a StoreLost. */
function lost<T>(step: () => T): T {
  const say = (cause: unknown): never => {
    throw new StoreLost(wordsOf(cause));
  };
  try {
    const outcome = step();
    return outcome instanceof Promise ? (outcome.catch(say) as T) : outcome;
  } catch (cause) {
    return say(cause);
  }
}

/** LevelDB's own words are in the cause; the outer error only says which call failed. */
function rootOf(failure: unknown): unknown {
  return failure instanceof Error && failure.cause !== undefined ? failure.cause : failure;
}

function codeOf(failure: unknown): unknown {
  return (failure as { code?: unknown } | undefined)?.code;
}

function wordsOf(failure: unknown): string {
  const root = rootOf(failure);
  return root instanceof Error ? root.message : String(root);
}
