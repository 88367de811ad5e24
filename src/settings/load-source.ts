// Reads one YAML file, bounded, and turns whatever keeps it from being read into a problem of that file.

import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { FILE_BYTES_MAX, parseYaml, type Source } from './parse-yaml.ts';
import type { Place, Problem, ProblemCode } from './problems.ts';

/** Resolves to a file's text; rejects as node:fs does, with a `code`. */
export type ReadText = (path: string) => Promise<string>;

/** A file with bytes that are no text: read with stand-ins for them, it would be checked, and written back, as another. */
export class NotUtf8 extends Error {
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

/** Reads a UTF-8 file of which no more than one byte over the limit is ever held; rejects with NotUtf8 where it is none. */
export async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return textOf(buffer.subarray(0, length));
    }
  } finally {
    await file.close();
  }
}

function textOf(bytes: Buffer): string {
  // One that is too large is cut anywhere, and refused for that.
  if (bytes.length <= FILE_BYTES_MAX && !isUtf8(bytes)) throw notUtf8(bytes);
  return bytes.toString('utf8');
}

const REPLACEMENT = '\uFFFD';
const LINE_FEED = 0x0a;

/** Where the first byte stands that is no UTF-8, and what it is. */
function notUtf8(bytes: Buffer): NotUtf8 {
  const mark = bytes.length < 2 ? undefined : bytes.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff) {
    return new NotUtf8({ line: 1, column: 1 }, 'The file is UTF-16: save it as UTF-8.');
  }
  let [line, column, at] = [1, 1, 0];
  for (const character of bytes.toString('utf8')) {
    const length = Buffer.byteLength(character);
    const stands = bytes.subarray(at, at + length);
    if (character === REPLACEMENT && !stands.equals(Buffer.from(REPLACEMENT))) break;
    at += length;
    column += character.length;
    if (character.charCodeAt(0) === LINE_FEED) [line, column] = [line + 1, 1];
  }
  const byte = (bytes[at] ?? 0).toString(16).toUpperCase();
  const message = `The byte 0x${byte} here is not UTF-8: save the file as UTF-8.`;
  return new NotUtf8({ line, column }, message);
}

/** Reads and parses `file`. Never rejects for what the file system says. */
export async function readSource(
  file: string,
  readText: ReadText = readBounded,
): Promise<{ source?: Source; problems: Problem[] }> {
  try {
    const text = await readText(file);
    if (new TextEncoder().encode(text).length > FILE_BYTES_MAX) {
      return refused(file, 'file.too_large', `The file is larger than ${FILE_BYTES_MAX} bytes.`);
    }
    return parseYaml(file, text);
  } catch (error) {
    if (error instanceof NotUtf8) {
      const { place, message } = error;
      return { problems: [{ code: 'file.encoding', file, ...place, message }] };
    }
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return refused(file, 'file.absent', 'There is no such file.');
    if (code === 'EACCES' || code === 'EPERM') {
      return refused(file, 'file.denied', 'This user may not read the file.');
    }
    if (code === 'EISDIR') return refused(file, 'file.failed', 'This is a folder, not a file.');
    if (code === undefined) throw error;
    return refused(file, 'file.failed', `The file cannot be read (${code}).`);
  }
}

function refused(file: string, code: ProblemCode, message: string): { problems: Problem[] } {
  return { problems: [{ code, file, line: 1, column: 1, message }] };
}
