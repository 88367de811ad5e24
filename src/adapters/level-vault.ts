// The folder of a journal: LevelDB with what is kept beside it, so that neither an opening nor damage loses anything unsaid.

import { appendFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log, Store, Vault } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { type Ballast, createBallast } from './ballast.ts';
import { fileWords } from './file-words.ts';
import {
  exists,
  makeFolder,
  moveIn,
  removeTree,
  syncPath,
  syncTree,
  unless,
  writeWhole,
} from './files.ts';
import { bringFiles, isLevelFolder, levelFilesIn } from './level-folder.ts';
import { damagedTables, rebuildStore } from './level-rebuild.ts';
import { isLevelHeld, openLevelStore } from './level-store.ts';
import { freeLock, tryLock } from './lock-file.ts';
import { OPENING, putInPlace, RESTORED } from './restore-store.ts';

export interface VaultOptions {
  /** The data folder. */
  readonly folder: string;
  /** Room held for a full disk, in bytes. */
  readonly ballastBytes: number;
  /** False: a journal that is not there is a fault. */
  readonly create?: boolean;
  readonly log?: Log;
}

/**
 * Stands in a store that was rebuilt until it is kept itself: LevelDB numbers its files and changes anew there, so beside
 * files of before they would be taken for those, or for older than them.
 */
const REBUILT = 'REBUILT';

/** Damaged records put aside take no more room than this. */
const RECORDS_MAX_BYTES = 1024 * 1024;

/** A file that cannot be read for so many openings in a row is damaged, not just out of reach. */
const IO_TRIES = 3;

/** What the world does, in the words of the C library; anything else that keeps a store closed is damage. */
const FULL = /no space left|disk quota exceeded|ENOSPC|EDQUOT/i;
const WORLD =
  /read-only file system|permission denied|too many open files|cannot allocate|EROFS|EACCES|EPERM|EMFILE|ENFILE|ENOMEM/i;
const IO = /input\/output error|\bEIO\b/i;
const isOfWorld = (detail: string) => FULL.test(detail) || WORLD.test(detail);

/** LevelDB's word, in its LOG, for what it left out of a log when it opened. */
const DROPPED = /dropping \d+ bytes[^\n]*/g;

/** The journal's folder, opened and closed as often as need be. */
export function createLevelVault(options: VaultOptions): Vault {
  return new LevelVault(options);
}

class LevelVault implements Vault {
  readonly #options: VaultOptions;
  readonly #ballast: Ballast;
  #signs: string[] = [];
  #ioFailures = 0;
  #mistrusted: string | null = null;
  #areTablesProved = false;

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#ballast = createBallast(this.#path('ballast'), options.ballastBytes);
  }

  signs(): readonly string[] {
    return this.#signs;
  }

  async open(): Promise<Result<Store>> {
    const first = await this.#tryOpen();
    if (first.ok || !FULL.test(first.fault.detail)) return first;
    if (!(await this.#makeRoom())) return first;
    this.#warn(
      'the disk is full; what was held for this was given up, so that the journal can be opened',
    );
    return this.#tryOpen();
  }

  mistrust(detail: string): void {
    if (!isOfWorld(detail) && !this.#mayComeBack(detail)) this.#mistrusted = detail;
  }

  async heard(): Promise<void> {
    this.#signs = [];
    await removeTree(this.#path('signs')).catch(() => undefined);
  }

  async salvage(): Promise<Result<Store | undefined>> {
    const copy = this.#path('salvage');
    try {
      if (!(await isLevelFolder(this.#kept))) return good(undefined);
      await this.#repairedCopy(copy);
      const opened = await openLevelStore(copy, { create: false });
      if (!opened.ok) return opened;
      const store = opened.value;
      const close = async () => {
        await store.close();
        await removeTree(copy).catch(() => undefined);
      };
      return good({ ...store, close });
    } catch (cause) {
      return faulty('store.failed', wordsOf(cause));
    }
  }

  async release(): Promise<void> {
    this.#signs = [];
    this.#ioFailures = 0;
    await removeTree(this.#kept).catch(() => undefined);
  }

  async readMark(): Promise<Result<string | undefined>> {
    try {
      return good(await unless(readFile(this.#path('mark'), 'utf8'), ['ENOENT']));
    } catch (cause) {
      return faulty('store.failed', wordsOf(cause));
    }
  }

  async writeMark(text: string): Promise<Result<void>> {
    try {
      await writeWhole(this.#path('mark'), text);
      return good(undefined);
    } catch (cause) {
      return faulty('store.failed', wordsOf(cause));
    }
  }

  async quarantine(records: readonly (readonly [key: string, value: string])[]): Promise<void> {
    if (records.length === 0) return;
    const file = this.#path('quarantine', 'records.ndjson');
    try {
      await makeFolder(this.#path('quarantine'));
      const size = (await unless(stat(file), ['ENOENT']))?.size ?? 0;
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      const isRoom = size + Buffer.byteLength(lines) <= RECORDS_MAX_BYTES;
      if (isRoom) await appendFile(file, lines);
    } catch (cause) {
      // What is damaged is for a person to look at; nothing depends on it.
      this.#warn(`damaged records could not be put aside: ${wordsOf(cause)}`);
    }
  }

  reserve(): Promise<void> {
    return this.#ballast.build();
  }

  get #store(): string {
    return this.#path('store');
  }

  /** The store as it was before the newest opening that is not proved yet. */
  get #kept(): string {
    return this.#path('kept');
  }

  #path(...names: string[]): string {
    return join(this.#options.folder, ...names);
  }

  #warn(message: string): void {
    this.#options.log?.warn({ folder: this.#options.folder }, message);
  }

  async #tryOpen(): Promise<Result<Store>> {
    this.#signs = [];
    try {
      return await this.#open();
    } catch (cause) {
      return faulty('store.failed', worldWords(cause, this.#options.folder));
    }
  }

  /**
   * Alone in the folder from the first look at it: who has the store open is left everything, also what an interrupted
   * opening would have left behind.
   */
  async #open(): Promise<Result<Store>> {
    const { folder, create = true } = this.#options;
    // When a house uses water is its own affair: nobody else on the machine reads it.
    if (create) await makeFolder(folder, 0o700);
    else if (!(await exists(folder)))
      return faulty('store.failed', `there is no journal in ${folder}`);
    const held = faulty('store.locked', `another process holds the journal in ${this.#store}`);
    if (!(await tryLock(this.#path(OPENING)))) return held;
    try {
      // Earlier versions have it in the folder itself, and one may run.
      if ((await isLevelHeld(this.#store)) || (await isLevelHeld(folder))) return held;
      this.#signs = await this.#unheard();
      const opened = await this.#openAlone();
      return opened.ok ? await this.#withSigns(opened.value) : opened;
    } finally {
      await freeLock(this.#path(OPENING));
    }
  }

  /** What earlier openings found that were cut off before anybody told it. */
  async #unheard(): Promise<string[]> {
    const text = await unless(readFile(this.#path('signs'), 'utf8'), ['ENOENT']);
    return (text ?? '').split('\n').filter((sign) => sign !== '');
  }

  /** Kept until they are heard: a store that was repaired opens well the next time, and has lost what it has lost. */
  async #keepSigns(): Promise<void> {
    this.#signs = [...new Set(this.#signs.map((sign) => sign.replaceAll('\n', ' ')))];
    if (this.#signs.length > 0) await writeWhole(this.#path('signs'), this.#signs.join('\n'));
  }

  async #withSigns(store: Store): Promise<Result<Store>> {
    try {
      await this.#keepSigns();
      return good(store);
    } catch (cause) {
      await store.close();
      throw cause;
    }
  }

  async #openAlone(): Promise<Result<Store>> {
    await this.#tidy();
    if (!(await isLevelFolder(this.#store))) return this.#openAbsent();
    const fresh = await this.#keep();
    await this.#distrustDamaged();
    if (this.#mistrusted !== null) {
      this.#signs.push(this.#mistrusted);
      const mended = await this.#swapInRepaired();
      if (mended.ok) this.#mistrusted = null;
      return mended;
    }
    const opened = await openLevelStore(this.#store, { create: false });
    if (opened.ok) return this.#opened(opened.value);
    const { code, detail } = opened.fault;
    if (code === 'store.locked' && fresh) await removeTree(this.#kept);
    if (code === 'store.locked' || isOfWorld(detail) || this.#mayComeBack(detail)) return opened;
    this.#signs.push(detail);
    return this.#swapInRepaired();
  }

  /** Something that cannot be read now, and may be the next time; each time is counted. */
  #mayComeBack(detail: string): boolean {
    if (!IO.test(detail)) return false;
    this.#ioFailures += 1;
    return this.#ioFailures < IO_TRIES;
  }

  /**
   * LevelDB ends the process when it compacts a block whose keys a flipped bit has put out of order, so tables are proved
   * before it sees them: at the first opening of a life, and where an earlier opening was never proved.
   */
  async #distrustDamaged(): Promise<void> {
    if (this.#mistrusted !== null || this.#areTablesProved) return;
    const damaged = await damagedTables(this.#store);
    if (damaged.length > 0) this.#mistrusted = `damaged: ${damaged.join(', ')}`;
    this.#areTablesProved = true;
  }

  async #opened(store: Store): Promise<Result<Store>> {
    const told = (await readFile(join(this.#store, 'LOG'), 'utf8').catch(() => '')).match(DROPPED);
    this.#signs.push(...(told ?? []).slice(0, 3));
    return good(store);
  }

  /** No store is there: a new beginning, unless something says that there was one. */
  async #openAbsent(): Promise<Result<Store>> {
    if (await isLevelFolder(this.#kept)) {
      this.#signs.push('the store was removed');
      return this.#swapInRepaired();
    }
    const { create = true } = this.#options;
    const before = await exists(this.#path('mark'));
    if (!create && !before) {
      return faulty('store.failed', `there is no journal in ${this.#options.folder}`);
    }
    if (before) this.#signs.push('the store is missing');
    return openLevelStore(this.#store);
  }

  /** What an interrupted opening or restore left behind is finished or removed. */
  async #tidy(): Promise<void> {
    const { folder } = this.#options;
    for (const name of ['kept.new', 'repair', 'repair.new', 'salvage', 'salvage.new'])
      await removeTree(this.#path(name));
    await this.#moveOldLayout(folder);
    const repaired = this.#path('store.repaired');
    // The name is only given to a whole copy, repaired or restored.
    if (await exists(repaired)) {
      if (await isLevelFolder(this.#store)) await removeTree(repaired);
      else await putInPlace(folder);
    }
    await rm(this.#path('store', RESTORED), { force: true });
  }

  /** Earlier versions had LevelDB in the data folder itself. */
  async #moveOldLayout(folder: string): Promise<void> {
    const aside = this.#path('store.moving');
    const files = await levelFilesIn(folder);
    if (files.length > 0) {
      await makeFolder(aside);
      for (const name of files) await rename(join(folder, name), join(aside, name));
      await syncPath(aside);
      await syncPath(folder);
    }
    if (await exists(aside)) await moveIn(aside, this.#store);
  }

  /**
   * Keeps what is there before LevelDB opens it: an opening deletes what a damaged MANIFEST no longer names, and the
   * logs it has read. True when nothing was kept from before. What an earlier opening kept stays until it is proved; only
   * a store that was rebuilt from all of it takes its place.
   */
  async #keep(): Promise<boolean> {
    const rebuilt = this.#path('store', REBUILT);
    const isFresh = !(await exists(this.#kept));
    const isRebuilt = await exists(rebuilt);
    if (!isFresh && !isRebuilt) {
      await bringFiles(this.#store, this.#kept);
      return false;
    }
    const aside = this.#path('kept.new');
    const left = await bringFiles(this.#store, aside);
    if (left.length > 0) this.#signs.push(`cannot be read: ${left.join(', ')}`);
    // What cannot be read whole takes the place of nothing.
    if (!isFresh && left.length > 0) return false;
    if (!isFresh) await removeTree(this.#kept);
    await moveIn(aside, this.#kept);
    if (isRebuilt) await rm(rebuilt);
    return isFresh;
  }

  /** Puts a repaired copy of what was kept in the place of a store that cannot be opened, which is put aside. */
  async #swapInRepaired(): Promise<Result<Store>> {
    const repaired = await this.#tryRepair();
    const aside = this.#path('quarantine', 'store');
    await this.#keepSigns();
    await makeFolder(this.#path('quarantine'));
    if (await exists(this.#store)) {
      await removeTree(aside);
      await moveIn(this.#store, aside);
    }
    if (repaired) {
      await moveIn(this.#path('store.repaired'), this.#store);
      const opened = await openLevelStore(this.#store, { create: false });
      if (opened.ok) return this.#opened(opened.value);
      if (isOfWorld(opened.fault.detail)) return opened;
      this.#signs.push(`repaired, and still: ${opened.fault.detail}`);
      await removeTree(this.#store);
    }
    this.#signs.push('nothing could be repaired');
    return openLevelStore(this.#store);
  }

  /** A whole repaired copy under its name, or false when LevelDB finds nothing to repair. Throws what the disk does. */
  async #tryRepair(): Promise<boolean> {
    const aside = this.#path('repair');
    try {
      await this.#repairedCopy(aside);
    } catch (cause) {
      const words = wordsOf(cause);
      if (isOfWorld(words) || IO.test(words)) throw cause;
      this.#signs.push(words);
      return false;
    }
    await writeFile(join(aside, REBUILT), '');
    await syncTree(aside);
    await moveIn(aside, this.#path('store.repaired'));
    return true;
  }

  async #repairedCopy(folder: string): Promise<void> {
    await removeTree(folder);
    await rebuildStore(this.#kept, folder);
  }

  async #makeRoom(): Promise<boolean> {
    try {
      if (await this.#ballast.free()) return true;
      const aside = this.#path('quarantine', 'store');
      if (!(await exists(aside))) return false;
      await removeTree(aside);
      return true;
    } catch {
      return false;
    }
  }
}

/** What the world refuses in words for people, the system's code behind them, by which refusals are told apart. */
function worldWords(cause: unknown, folder: string): string {
  const { code = '' } = cause as Partial<NodeJS.ErrnoException>;
  const isTold = /^(?:EROFS|ENOSPC|EACCES|EPERM|EIO)$/.test(code);
  return isTold ? `${fileWords(cause, folder)} (${code})` : `${folder}: ${wordsOf(cause)}`;
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
