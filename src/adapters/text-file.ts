// Files of many lines, for people to carry away: written whole or not at all, read line by line.

import { createReadStream } from 'node:fs';
import { chmod, chown, copyFile, open, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { faulty, good, type Result } from '../domain/fault.ts';
import { fileError, fileWords, newFileError } from './file-words.ts';
import { moveIn, unless, writeSynced } from './files.ts';

/** Text is gathered up to so many characters before it is written. */
const CHUNK = 256 * 1024;

/** The file behind symbolic links: it is replaced, and a link to it stays one. */
async function behindLinks(path: string): Promise<string> {
  return (await unless(realpath(path), ['ENOENT'])) ?? path;
}

/** A pipe or a device, as /dev/stdout: it is written into, for a file in its place would be nobody's. */
async function isSink(path: string): Promise<boolean> {
  const there = await unless(stat(path), ['ENOENT']);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

/** Writes the lines, which end in line feeds, for this user alone; after a fault the file is as it was before. Good with its bytes. */
export async function writeLines(
  path: string,
  lines: AsyncIterable<string>,
): Promise<Result<number>> {
  let aside: string | undefined;
  try {
    const target = await behindLinks(path);
    if (!(await isSink(target))) aside = `${target}.new`;
    const handle = await open(aside ?? target, 'w', 0o600);
    let bytes = 0;
    try {
      let chunk = '';
      const ship = async () => {
        // One write alone takes what a disk that fills up still has room for, and calls that good.
        await handle.writeFile(chunk);
        bytes += Buffer.byteLength(chunk);
        chunk = '';
      };
      for await (const line of lines) {
        chunk += line;
        if (chunk.length >= CHUNK) await ship();
      }
      await ship();
      if (aside !== undefined) await handle.sync();
    } finally {
      await handle.close();
    }
    if (aside !== undefined) await moveIn(aside, target);
    return good(bytes);
  } catch (cause) {
    if (aside !== undefined) await rm(aside, { force: true }).catch(() => undefined);
    return faulty('store.failed', newFileError(cause, path).message);
  }
}

/** Writes `text` compressed, for this user alone. Throws in words why it cannot be written. */
export async function writeGzip(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, await promisify(gzip)(text), { mode: 0o600 });
  } catch (cause) {
    throw newFileError(cause, path);
  }
}

/**
 * Puts a text in the place of a file's, whole or not at all, with its owner and mode: root may edit what a daemon reads.
 * What was there is kept beside it as `.bak`.
 */
export async function replaceText(path: string, text: string): Promise<Result<void>> {
  let aside: string | undefined;
  try {
    const target = await behindLinks(path);
    const { mode, uid, gid } = await stat(target);
    aside = `${target}.new`;
    await copyFile(target, `${target}.bak`);
    await writeSynced(aside, text, { mode: mode & 0o777 });
    // Who may not give it away is its owner, or makes it his own by writing it.
    await chown(aside, uid, gid).catch(() => undefined);
    await chmod(aside, mode & 0o777);
    await moveIn(aside, target);
    return good(undefined);
  } catch (cause) {
    if (aside !== undefined) await rm(aside, { force: true }).catch(() => undefined);
    return faulty('store.failed', fileWords(cause, path));
  }
}

/** Pieces large enough that a file is read at the speed of its lines. */
const PIECE_BYTES = 262_144;

/** The text of a file, in pieces. Throws in words why it cannot be read. */
export async function* readPieces(path: string): AsyncGenerator<string> {
  try {
    yield* createReadStream(path, { encoding: 'utf8', highWaterMark: PIECE_BYTES });
  } catch (cause) {
    throw fileError(cause, path);
  }
}

/** The lines of a file without their line feeds. Throws in words why it cannot be read. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const input = createReadStream(path, 'utf8');
  // Without this an absent file would be an error that nobody hears.
  await new Promise<void>((resolve, reject) => {
    input.once('open', () => resolve());
    input.once('error', (cause) => reject(fileError(cause, path)));
  });
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    // A folder opens well, and cannot be read.
    throw fileError(cause, path);
  }
}
