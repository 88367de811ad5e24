// Files of many lines, for people to carry away: written whole or not at all, read line by line.

import { createReadStream } from 'node:fs';
import { copyFile, open, rm, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { faulty, good, type Result } from '../domain/fault.ts';
import { fileError, fileWords } from './file-words.ts';
import { moveIn } from './store-files.ts';

/** Text is gathered up to so many characters before it is written. */
const CHUNK = 256 * 1024;

/** Writes the lines, which end in line feeds, for this user alone; after a fault the file is as it was before. Good with its bytes. */
export async function writeLines(
  path: string,
  lines: AsyncIterable<string>,
): Promise<Result<number>> {
  const aside = `${path}.new`;
  try {
    const handle = await open(aside, 'w', 0o600);
    let bytes = 0;
    try {
      let chunk = '';
      const ship = async () => {
        bytes += (await handle.write(chunk)).bytesWritten;
        chunk = '';
      };
      for await (const line of lines) {
        chunk += line;
        if (chunk.length >= CHUNK) await ship();
      }
      await ship();
      await handle.sync();
    } finally {
      await handle.close();
    }
    await moveIn(aside, path);
    return good(bytes);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    return faulty('store.failed', fileWords(cause, path));
  }
}

/** Writes `text` compressed, for this user alone. Throws in words why it cannot be written. */
export async function writeGzip(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, await promisify(gzip)(text), { mode: 0o600 });
  } catch (cause) {
    throw fileError(cause, path);
  }
}

/** Puts a text in the place of a file's, whole or not at all; what was there is kept beside it as `.bak`. */
export async function replaceText(path: string, text: string): Promise<Result<void>> {
  const aside = `${path}.new`;
  try {
    const { mode } = await stat(path);
    await copyFile(path, `${path}.bak`);
    const handle = await open(aside, 'w', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await moveIn(aside, path);
    return good(undefined);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    return faulty('store.failed', cause instanceof Error ? cause.message : String(cause));
  }
}

/** The lines of a file without their line feeds. Throws what the file system says. */
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
