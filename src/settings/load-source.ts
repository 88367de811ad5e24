// Reads one YAML file, bounded, and turns whatever keeps it from being read into a problem of that file.

import { open } from 'node:fs/promises';
import { FILE_BYTES_MAX, parseYaml, type Source } from './parse-yaml.ts';
import type { Problem, ProblemCode } from './problems.ts';

/** Resolves to a file's text; rejects as node:fs does, with a `code`. */
export type ReadText = (path: string) => Promise<string>;

/** Reads a UTF-8 file of which no more than one byte over the limit is ever held. */
export async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.toString('utf8', 0, length);
    }
  } finally {
    await file.close();
  }
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
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return refused(file, 'file.absent', 'There is no such file.');
    if (code === 'EACCES' || code === 'EPERM') {
      return refused(file, 'file.denied', 'This user may not read the file.');
    }
    if (code === undefined) throw error;
    return refused(file, 'file.failed', `The file cannot be read (${code}).`);
  }
}

function refused(file: string, code: ProblemCode, message: string): { problems: Problem[] } {
  return { problems: [{ code, file, line: 1, column: 1, message }] };
}
