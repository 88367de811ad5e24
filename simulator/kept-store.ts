// What a head-end keeps, on disk: lines added, synced in batches; one file, or a folder that several instances share.

import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ofFile } from './file-words.ts';
import type { Line } from './ledger.ts';

/** The line that says that all before it is on the medium: others read a file up to it. */
const MARK = '{"type":"synced"}\n';
/** An instance that has not renewed its lock for so long is gone. */
const LOCK_STALE_MS = 15_000;

/** A file given as a store that is none; `message` is fit for a person. */
export class NoStore extends Error {}

const KINDS: readonly unknown[] = [
  'entry',
  'again',
  'event',
  'row',
  'info',
] satisfies Line['type'][];

/** The whole lines of a text. A line that was cut off is left out: it was never acknowledged. */
function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      const parsed = JSON.parse(line) as Line;
      return KINDS.includes(parsed?.type) ? [parsed] : [];
    } catch {
      return [];
    }
  });
}

/** What a store's file holds. Throws NoStore for a file of something else, which is not to be added to. */
function storedIn(text: string, path: string): Line[] {
  const lines = linesOf(text);
  if (lines.length === 0 && text.includes('\n') && !text.includes(MARK)) {
    throw new NoStore(`${path} is not the store of a head-end.`);
  }
  return lines;
}

/**
 * What is kept, without a change to anything: of one file, or of every instance's in a folder. Throws NoStore or the
 * system's error.
 */
export function lookIntoStore(path: string): Line[] {
  if (!statSync(path).isDirectory()) return storedIn(readFileSync(path, 'utf8'), path);
  const files = readdirSync(path).filter((file) => KEPT.test(file));
  if (files.length === 0) throw new NoStore(`${path} holds no store of a head-end.`);
  return files.map((file) => join(path, file)).flatMap((file) => lookIntoStore(file));
}

/** The file of an instance in the folder that all share. */
const KEPT = /^kept-.*\.ndjson$/;
const keptBy = (instance: string) => `kept-${instance}.ndjson`;

function readFrom(path: string, from: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}

/** Lives from `open` to `close`. */
export class KeptStore {
  readonly #folder: string | null;
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #onFailure: (error: Error) => void;
  /** How far the files of other instances have been read. */
  readonly #offsets = new Map<string, number>();
  #added: string[] = [];
  #flushing: Promise<void> | undefined;
  #leads = false;
  #failed = false;

  private constructor(
    folder: string | null,
    name: string,
    file: FileHandle,
    onFailure: (error: Error) => void,
  ) {
    this.#folder = folder;
    this.#name = name;
    this.#file = file;
    this.#onFailure = onFailure;
  }

  /**
   * Opens a file, or with `instance` the file of that instance in a folder, and gives what is kept there. Rejects with
   * NoStore or the system's error. `onFailure` hears when the medium fails later: nothing is called stored from then on.
   */
  static async open(
    path: string,
    instance: string | undefined,
    onFailure: (error: Error) => void,
  ): Promise<{ store: KeptStore; lines: Line[] }> {
    if (instance !== undefined) mkdirSync(path, { recursive: true });
    const folder = instance === undefined ? null : path;
    const name = instance === undefined ? path : keptBy(instance);
    const own = folder === null ? path : join(folder, name);
    const text = existsSync(own) ? readFileSync(own, 'utf8') : '';
    const lines = storedIn(text, own);
    const file = await open(own, 'a');
    const store = new KeptStore(folder, name, file, onFailure);
    // Ends the line at which an earlier run may have been cut off, and makes sure of all that was read.
    if (text !== '' && !text.endsWith('\n')) await file.appendFile('\n');
    await file.datasync();
    if (folder !== null) await file.appendFile(MARK);
    return { store, lines: [...lines, ...store.fromOthers()] };
  }

  add(line: Line): void {
    this.#added.push(`${JSON.stringify(line)}\n`);
    this.#flushing ??= this.#flush();
  }

  /** Resolves when everything added so far is on the medium; never, when the medium fails. */
  synced(): Promise<void> {
    if (this.#failed) return new Promise(() => undefined);
    return this.#flushing ?? Promise.resolve();
  }

  /** What other instances have made sure of since the last call. */
  fromOthers(): Line[] {
    if (this.#folder === null) return [];
    const files = readdirSync(this.#folder).filter(
      (file) => KEPT.test(file) && file !== this.#name,
    );
    return files.flatMap((file) => {
      const from = this.#offsets.get(file) ?? 0;
      const path = join(this.#folder ?? '', file);
      if (statSync(path).size <= from) return [];
      const bytes = readFrom(path, from);
      const sure = bytes.lastIndexOf(MARK);
      if (sure < 0) return [];
      this.#offsets.set(file, from + sure + MARK.length);
      return linesOf(bytes.toString('utf8', 0, sure));
    });
  }

  /**
   * Whether this instance speaks for all: one at a time does, so that no acknowledgement falls back behind another's.
   * Called again and again, it keeps the office, or takes it over from an instance that is gone.
   */
  async leads(now = Date.now()): Promise<boolean> {
    if (this.#folder === null) return true;
    const lock = join(this.#folder, 'voice.lock');
    if (this.#leads) {
      const mine = existsSync(lock) && readFileSync(lock, 'utf8') === this.#name;
      if (mine) await utimes(lock, now / 1_000, now / 1_000);
      this.#leads = mine;
      return mine;
    }
    const held = await stat(lock).catch(() => undefined);
    if (held && now - held.mtimeMs < LOCK_STALE_MS) return false;
    try {
      // Of several that find it stale, one alone can move it away.
      if (held) await rename(lock, `${lock}.${this.#name}`);
      await writeFile(lock, this.#name, { flag: 'wx' });
      this.#leads = true;
    } catch {
      this.#leads = false;
    }
    return this.#leads;
  }

  async close(): Promise<void> {
    await (this.#failed ? undefined : this.synced());
    if (this.#leads && this.#folder !== null)
      await rm(join(this.#folder, 'voice.lock'), { force: true });
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    try {
      while (this.#added.length > 0) {
        // Whatever is added while a batch is written makes the next one.
        const batch = this.#added.splice(0).join('');
        await this.#file.appendFile(batch);
        await this.#file.datasync();
        if (this.#folder !== null) await this.#file.appendFile(MARK);
      }
      this.#flushing = undefined;
    } catch (error) {
      this.#failed = true;
      this.#onFailure(ofFile(error as Error, this.#name));
      await new Promise(() => undefined);
    }
  }
}

/** Takes the lines for which `forgotten` holds out of a store's file, as a restore of an older copy would. */
export function forget(path: string, forgotten: (line: Line) => boolean): number {
  const lines = existsSync(path) ? linesOf(readFileSync(path, 'utf8')) : [];
  const rest = lines.filter((line) => !forgotten(line));
  writeFileSync(`${path}.new`, rest.map((line) => `${JSON.stringify(line)}\n`).join(''));
  renameSync(`${path}.new`, path);
  return lines.length - rest.length;
}
