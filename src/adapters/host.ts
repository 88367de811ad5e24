// The machine itself, for an installation: files with their modes, and the tools of the system.

import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileError } from './file-words.ts';
import { makeFolder } from './files.ts';
import { folderTrouble } from './folder-right.ts';

/** systemd is running where this folder is (sd_booted(3)). */
const BOOTED = '/run/systemd/system';

/** `program`: the collector's file; `example`: the settings file that is shipped. */
export function createHost(program: string, example: () => string) {
  return {
    node: realpathSync(process.execPath),
    program,
    get example() {
      return example();
    },
    get runsSystemd() {
      return existsSync(BOOTED);
    },
    async place(path: string, text: string, mode: number, keep: boolean): Promise<boolean> {
      if (keep && existsSync(path)) return false;
      try {
        await makeFolder(dirname(path));
        await writeFile(path, text, { mode });
        await chmod(path, mode); // Whatever the umask, and of a file that was there.
      } catch (cause) {
        throw fileError(cause, path);
      }
      return true;
    },
    async has(path: string): Promise<boolean> {
      return existsSync(path);
    },
    async folder(path: string, mode: number): Promise<void> {
      try {
        await makeFolder(path, mode);
      } catch (cause) {
        throw fileError(cause, path);
      }
    },
    folderTrouble,
    ports: serialPorts,
    run(tool: string, args: readonly string[]): Promise<number> {
      return new Promise((resolve) => {
        const child = spawn(tool, args, { stdio: ['ignore', 'ignore', 'inherit'] });
        child.once('error', () => resolve(127));
        child.once('exit', (code) => resolve(code ?? 1));
      });
    },
  };
}

/** By their ids, which outlast a restart; where there are none, as the kernel numbers them. */
async function serialPorts(): Promise<readonly string[]> {
  const byId = '/dev/serial/by-id';
  const named = await readdir(byId).catch(() => []);
  if (named.length > 0) return named.sort().map((name) => join(byId, name));
  const devices = await readdir('/dev').catch(() => []);
  return devices
    .filter((name) => /^tty(USB|ACM|AMA)\d+$/.test(name))
    .sort()
    .map((name) => join('/dev', name));
}
