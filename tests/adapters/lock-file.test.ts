// A lock between processes: one at a time holds it, the dead keep nobody out, and a disk that gives way leaves nobody locked out.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeLock, tryLock } from '../../src/adapters/lock-file.ts';

describe('a lock file', () => {
  let root: string;
  let folder: string;
  let lock: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'lock-'));
    folder = await mkdtemp(join(root, 'place-'));
    lock = join(folder, 'lock');
  });
  afterEach(() => rm(root, { recursive: true }));

  it('is held by one at a time', async () => {
    expect(await tryLock(lock)).toBe(true);
    expect(await tryLock(lock)).toBe(false);
    await freeLock(lock);
    expect(await tryLock(lock)).toBe(true);
    await freeLock(lock);
  });

  it('is not taken from a process that lives, and is from one that has ended', async () => {
    const other = spawn('sleep', ['60']);
    await once(other, 'spawn');
    await symlink(`${other.pid}`, lock);
    expect(await tryLock(lock)).toBe(false);
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(await tryLock(lock)).toBe(true);
    expect(await readlink(lock)).toContain(`${process.pid} `);
    await freeLock(lock);
  });

  it('that was left empty, or by a number that another process bears now, keeps nobody out', async () => {
    for (const text of ['', `${process.ppid} another-boot 1`]) {
      await writeFile(lock, text);
      expect(await tryLock(lock)).toBe(true);
      await freeLock(lock);
    }
  });

  it('that cannot be taken away when it is freed is free all the same, for this process', async () => {
    expect(await tryLock(lock)).toBe(true);
    const away = join(root, 'away');
    await rename(folder, away);
    await writeFile(folder, 'what stands there now is no folder');
    await expect(freeLock(lock)).resolves.toBeUndefined();
    await rm(folder);
    await rename(away, folder);
    expect(await tryLock(lock)).toBe(true);
    await freeLock(lock);
  });
});
