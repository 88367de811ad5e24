// Files and folders of a store, handled so that a power cut leaves the old or the new: synced, linked, renamed.

import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** What LevelDB makes of a store; its LOCK and LOG hold nothing of it. */
const STORE_FILE = /^(?:\d+\.(?:ldb|sst|log)|MANIFEST-\d+|CURRENT)$/;
const TABLE = /\.(?:ldb|sst)$/;

export const isTable = (name: string) => TABLE.test(name);
export const isManifest = (name: string) => /^MANIFEST-\d+$/.test(name);

/** Names of LevelDB's files in `folder`; none where there is no such folder. Throws when it cannot be read. */
export async function levelFilesIn(folder: string): Promise<string[]> {
  return (await listIn(folder)).filter((name) => STORE_FILE.test(name)).sort();
}

/** Whether a store lies in `folder`, whole or damaged. */
export async function isLevelFolder(folder: string): Promise<boolean> {
  return (await levelFilesIn(folder)).length > 0;
}

export async function exists(path: string): Promise<boolean> {
  return (await unless(stat(path), ['ENOENT'])) !== undefined;
}

/** Names in a folder; none where there is no such folder. */
export async function listIn(folder: string): Promise<string[]> {
  return (await unless(readdir(folder), ['ENOENT'])) ?? [];
}

/** The outcome of a call to the file system; undefined when it failed in one of the ways that are no surprise. */
export async function unless<T>(
  call: Promise<T>,
  codes: readonly string[],
): Promise<T | undefined> {
  try {
    return await call;
  } catch (cause) {
    if (codes.includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw cause;
  }
}

/**
 * Makes a folder and those above it that are missing; one that is there is left as it is. The `recursive` of node:fs is not
 * used: it tries for ever, at a whole core, where the system says ENOENT of a folder whose parent is there, as below /proc
 * (Node 20 to 24).
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const folder = resolve(path);
  try {
    await makeOne(folder, mode);
  } catch (cause) {
    const isRoot = dirname(folder) === folder;
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || isRoot) throw cause;
    await makeFolder(dirname(folder), mode);
    await makeOne(folder, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    // A file in its place is no folder; neither is a symbolic link to nothing.
    const there = await unless(stat(path), ['ENOENT']);
    if (there?.isDirectory() !== true) throw cause;
  }
}

export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Puts a file or folder on the medium; a folder with the names in it, not with what they name. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a folder with everything directly in it on the medium. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile()) await syncPath(join(folder, entry.name));
  }
  await syncPath(folder);
}

/** Renames into place, where nothing or an empty folder may be, and puts that on the medium. */
export async function moveIn(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncPath(dirname(to));
  if (dirname(from) !== dirname(to)) await syncPath(dirname(from));
}

/** Writes a file whole: after a power cut the old text stands there or the new. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const aside = `${path}.new`;
  const handle = await open(aside, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await moveIn(aside, path);
}

/** Ways in which a file system says that it has no hard links, or no more of them. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV', 'ENOSYS'];

/**
 * Brings LevelDB's files of `from` into `to` beside what is there: tables, which never change, as hard links, the rest
 * as copies. What cannot be read is left out. The names left out are returned; throws when there is no room.
 */
export async function bringFiles(from: string, to: string): Promise<string[]> {
  await makeFolder(to);
  const left: string[] = [];
  for (const name of await levelFilesIn(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    try {
      if (isTable(name)) await linkOrCopy(source, target);
      else await copyLonger(source, target);
    } catch (cause) {
      if (!['EIO', 'EACCES', 'ENOENT'].includes((cause as NodeJS.ErrnoException).code ?? ''))
        throw cause;
      left.push(name);
    }
  }
  await syncPath(to);
  return left;
}

/**
 * A table that was never finished gives its number back, so another may lie there under the same name: then both stay, for
 * what reads them goes by what is in them.
 */
async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code !== 'EEXIST' && !NO_LINKS.includes(code)) throw cause;
    if (!(await exists(target))) return copySynced(source, target);
    if (await isSameFile(source, target)) return;
    await linkOrCopy(source, join(dirname(target), `9${basename(target)}`));
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  if (a.ino === b.ino && a.dev === b.dev) return true;
  return a.size === b.size && (await readFile(one)).equals(await readFile(other));
}

async function copySynced(source: string, target: string): Promise<void> {
  await copyFile(source, target);
  await syncPath(target);
}

/** A log that was kept before a first opening is not replaced by what that opening left of it. */
async function copyLonger(source: string, target: string): Promise<void> {
  const [own, kept] = await Promise.all([stat(source), unless(stat(target), ['ENOENT'])]);
  if (kept && kept.size >= own.size && basename(target) !== 'CURRENT') return;
  await copySynced(source, target);
}
