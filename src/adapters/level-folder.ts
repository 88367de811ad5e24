// The files that LevelDB makes of a store: told by their names, and kept beside others without losing any.

import { copyFile, link, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists, listIn, makeFolder, syncPath, unless } from './files.ts';

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
