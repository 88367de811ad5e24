// Files and folders, handled so that a power cut leaves the old or the new: synced, renamed into place.

import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

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

/** Writes a file to the medium; with the flag `wx` none may be there. A cut leaves a part of it: where that matters, `writeWhole`. */
export async function writeSynced(
  path: string,
  content: string | Uint8Array,
  { flag = 'w', mode = 0o666 }: { readonly flag?: 'w' | 'wx'; readonly mode?: number } = {},
): Promise<void> {
  const handle = await open(path, flag, mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file whole: after a power cut the old text stands there or the new. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const aside = `${path}.new`;
  await writeSynced(aside, text);
  await moveIn(aside, path);
}
