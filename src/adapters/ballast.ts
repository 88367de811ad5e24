// A file that holds room on the disk, given up when the disk is full: LevelDB cannot even be opened without any room.

import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncPath, unless } from './files.ts';

/** It is built only where it leaves so many times its own size free: a small disk has no room to set aside. */
const ROOM_TIMES = 4;
const CHUNK = 1024 * 1024;

export interface Ballast {
  /** Gives the room up. False when there was none left to give. */
  free(): Promise<boolean>;
  /** Builds it (again) where there is plenty of room. Never rejects. */
  build(): Promise<void>;
}

/** The ballast at `path` of `bytes`; of 0 bytes there is none. */
export function createBallast(path: string, bytes: number): Ballast {
  return {
    async free() {
      const found = await unless(stat(path), ['ENOENT', 'ENOTDIR']);
      if (!found || found.size === 0) return false;
      await rm(path, { force: true });
      await syncPath(dirname(path));
      return true;
    },
    async build() {
      try {
        const found = await unless(stat(path), ['ENOENT']);
        if (bytes === 0 || (found?.size ?? 0) >= bytes) return;
        const { bavail, bsize } = await statfs(dirname(path));
        if (bavail * bsize < ROOM_TIMES * bytes) return;
        await fill(path, bytes);
      } catch {
        // A disk that has no room for it now is tried again at the next hour.
        await rm(path, { force: true }).catch(() => undefined);
      }
    },
  };
}

/** Written, not merely sized: a hole holds no room. */
async function fill(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'w');
  try {
    const chunk = Buffer.alloc(Math.min(CHUNK, bytes), 0xa5);
    for (let written = 0; written < bytes; written += chunk.length) {
      // To its end: one write alone takes what there is room for, and calls that good.
      await handle.writeFile(chunk.subarray(0, bytes - written));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
