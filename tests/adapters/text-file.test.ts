// Files for people are written where they belong: behind links, into pipes, and for whom they were before.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replaceText, writeLines } from '../../src/adapters/text-file.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'texts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* lines(...texts: string[]) {
  yield* texts;
}

describe('lines', () => {
  test('go into the file behind a symbolic link, which stays one', async () => {
    writeFileSync(at('real'), 'old');
    symlinkSync('real', at('link'));
    expect(await writeLines(at('link'), lines('a\n', 'b\n'))).toEqual({ ok: true, value: 4 });
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('real'), 'utf8')).toBe('a\nb\n');
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
  });

  test('go into a pipe, which stays one', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const [written, read] = await Promise.all([
      writeLines(at('pipe'), lines('a\n')),
      readFile(at('pipe'), 'utf8'),
    ]);
    expect([written, read]).toEqual([{ ok: true, value: 2 }, 'a\n']);
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(['pipe']);
  });

  test('that only have room in part are not written, however near their end', async () => {
    writeFileSync(at('file'), 'old');
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
    limit('286720');
    try {
      // The room ends within the last piece, so no other follows that would find none.
      const written = await writeLines(
        at('file'),
        lines(...Array(3_000).fill(`${'x'.repeat(99)}\n`)),
      );
      expect(written).toMatchObject({ ok: false, fault: { code: 'store.failed' } });
    } finally {
      limit('unlimited');
    }
    expect(readFileSync(at('file'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('that end early leave the file as it was', async () => {
    writeFileSync(at('file'), 'old');
    async function* broken() {
      yield 'a\n';
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    }
    expect((await writeLines(at('file'), broken())).ok).toBe(false);
    expect(readFileSync(at('file'), 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('a text in the place of another', () => {
  test('stands behind the symbolic link, with the old one beside it', async () => {
    writeFileSync(at('real'), 'old');
    symlinkSync('real', at('link'));
    expect((await replaceText(at('link'), 'new')).ok).toBe(true);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect([at('real'), at('real.bak')].map((path) => readFileSync(path, 'utf8'))).toEqual([
      'new',
      'old',
    ]);
  });

  test('keeps the mode, whatever the umask', async () => {
    writeFileSync(at('file'), 'old');
    chmodSync(at('file'), 0o664);
    expect((await replaceText(at('file'), 'new')).ok).toBe(true);
    expect(statSync(at('file')).mode & 0o777).toBe(0o664);
  });

  test.skipIf(process.getuid?.() !== 0)('by root stays its owner\u2019s', async () => {
    writeFileSync(at('file'), 'old');
    chownSync(at('file'), 12_345, 23_456);
    expect((await replaceText(at('file'), 'new')).ok).toBe(true);
    const { uid, gid } = statSync(at('file'));
    expect([uid, gid]).toEqual([12_345, 23_456]);
  });

  test('is none where nothing stands', async () => {
    expect((await replaceText(at('none'), 'new')).ok).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});
