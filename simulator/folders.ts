// Folders for what a simulation leaves behind.

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it; rejects as node:fs does. Its own `recursive` would try for ever where the system says
 * ENOENT of a folder whose parent is there, as below /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  try {
    await makeOne(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    await makeFolder(dirname(folder));
    await makeOne(folder);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    if (!isTaken || !(await stat(path)).isDirectory()) throw cause;
  }
}
