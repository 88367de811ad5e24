// The log's way out: it never waits for its reader, drops what is too much, and survives a reader that goes.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  read,
  rmSync,
  write,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeBehind } from '../../src/adapters/write-behind.ts';

const LINE = `${'x'.repeat(99)}\n`;
/** More than a pipe holds (64 KiB), so that the writer meets a full one. */
const LINES = 2_000;

describe('lines on a pipe', () => {
  let folder: string;
  let reader: number;
  let writer: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipe-'));
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    writer = openSync(pipe, constants.O_WRONLY);
    expect(fstatSync(writer).isFIFO()).toBe(true);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('wait for a slow reader up to their limit, and the caller never does', async () => {
    const limit = 50_000;
    const out = writeBehind(writer, limit);
    for (let i = 0; i < LINES; i += 1) {
      out.write(LINE);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const text = await drained(reader);
    expect(text.length).toBeGreaterThan(limit);
    expect(text.length).toBeLessThan(LINES * LINE.length);
    expect(new Set(text.split('\n').slice(0, -1))).toEqual(new Set([LINE.trimEnd()]));
    out.write('last\n');
    expect(await drained(reader)).toBe('last\n');
    closeSync(reader);
    closeSync(writer);
  });

  it('are all there for a reader that keeps up, in order', async () => {
    const out = writeBehind(writer, 1_000_000);
    const lines = Array.from({ length: LINES }, (_, i) => `line ${i} ft³\n`);
    for (const line of lines) out.write(line);
    expect(await drained(reader)).toBe(lines.join(''));
    closeSync(reader);
    closeSync(writer);
  });

  it('into a pipe whose reader has gone are dropped without an error, then and later', async () => {
    const out = writeBehind(writer, 1_000_000);
    closeSync(reader);
    for (let i = 0; i < 100; i += 1) {
      out.write(LINE);
      // A write of our own fails after the one before it, on however busy a machine.
      await expect(promisify(write)(writer, 'x')).rejects.toMatchObject({ code: 'EPIPE' });
    }
    const late = openSync(join(folder, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
    out.write('late\n');
    expect(await drained(late)).toBe('');
    closeSync(late);
    closeSync(writer);
  });
});

/** Everything that comes out of the pipe until nothing has come for a hundred looks. */
async function drained(fd: number): Promise<string> {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(16_384);
  for (let quiet = 0; quiet < 100; quiet += 1) {
    try {
      const { bytesRead } = await promisify(read)(fd, buffer, 0, buffer.length, null);
      if (bytesRead > 0) quiet = 0;
      chunks.push(Buffer.from(buffer.subarray(0, bytesRead)));
    } catch {
      // EAGAIN: nothing yet.
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}
