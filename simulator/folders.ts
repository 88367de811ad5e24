// Folders for what a simulation leaves behind, each for one simulation at a time.

import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
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

/**
 * Holds a folder that is there for this process alone; undefined while another one holds it. By a socket with a name and no
 * file (Linux): it goes with its process, however that ends.
 */
export async function holdFolder(path: string): Promise<{ release(): void } | undefined> {
  const name = createHash('sha256')
    .update(await realpath(path))
    .digest('hex');
  const holder = createServer((caller) => caller.destroy());
  return await new Promise((resolve, reject) => {
    holder.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    holder.listen(`\0meter-collector-street-${name}`, () => {
      holder.unref();
      resolve({ release: () => void holder.close() });
    });
  });
}
