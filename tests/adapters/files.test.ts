// Folders are made, or it is said at once that they cannot be.

import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../src/adapters/files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folders-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (making: Promise<void>) =>
  making.then(
    () => 'made',
    (cause: NodeJS.ErrnoException) => cause.code,
  );

describe('a folder', () => {
  test('is made with those above it, for whom it is meant', async () => {
    const path = join(folder, 'a b', 'ñ', 'c');
    await makeFolder(path, 0o700);
    await makeFolder(path, 0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'a b')).mode & 0o777).toBe(0o700);
  });

  test('may be reached over a symbolic link, which is not replaced', async () => {
    symlinkSync(folder, join(folder, 'link'));
    await makeFolder(join(folder, 'link'));
    await makeFolder(join(folder, 'link', 'below'));
    expect(statSync(join(folder, 'below')).isDirectory()).toBe(true);
  });

  test('that a file or a link to nothing stands in for is refused', async () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    expect(await codeOf(makeFolder(join(folder, 'file')))).toBe('EEXIST');
    expect(await codeOf(makeFolder(join(folder, 'file', 'below')))).toBe('ENOTDIR');
    expect(await codeOf(makeFolder(join(folder, 'dangling')))).toBe('EEXIST');
  });

  test('that the system cannot make is refused at once, where node:fs tries for ever', async () => {
    expect(await codeOf(makeFolder('/proc/meter-collector/data'))).toBe('ENOENT');
  });
});
