// Room on the disk: what a folder takes up, what is free beside it, and what this process has written to disks at all.

import { readFileSync } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Room } from '../boundaries.ts';

/** Bytes of the files in `folder`, those free to this user on its disk, and all of that disk. Throws what the file system says. */
export async function measureRoom(folder: string): Promise<Room> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    // LevelDB removes files as it goes.
    const found = await stat(join(folder, name)).catch(() => null);
    bytes += found?.size ?? 0;
  }
  const { bavail, blocks, bsize } = await statfs(folder);
  return { bytes, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Bytes that this process has caused to be sent to disks since it began (proc(5), `write_bytes`); null where the kernel does not say. */
export function bytesWorn(): number | null {
  try {
    const line = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'));
    return line ? Number(line[1]) : null;
  } catch {
    return null;
  }
}
