// What LevelDB's own repair gives, in a process of its own: it ends the process over some kinds of damage.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LEVEL = fileURLToPath(new URL('../../node_modules/level/index.js', import.meta.url));

const PROGRAM = `
const { Level } = require(process.argv[1]);
(async () => {
  await Level.repair(process.argv[2]);
  const level = new Level(process.argv[2], { createIfMissing: false, valueEncoding: 'utf8' });
  await level.open();
  for await (const entry of level.iterator()) console.log(JSON.stringify(entry));
})().catch(() => {});`;

/** The entries of the store in `folder`, which is repaired in place; as many as came before anything went wrong. */
export async function repairedByLevel(folder: string): Promise<[string, string][]> {
  const args = ['--input-type=commonjs', '--eval', PROGRAM, LEVEL, folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const entries: [string, string][] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    try {
      entries.push(JSON.parse(line) as [string, string]);
    } catch {
      // The last line of a process that was ended.
    }
  }
  return entries;
}
