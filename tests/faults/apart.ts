// Runs a case in a process and a folder of its own, and leaves nothing of it behind: no process, no mount, no file.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultCase, Wish } from './fault-case.ts';
import { OWN_NETWORK } from './needs.ts';

const PROGRAM = fileURLToPath(new URL('main.js', import.meta.url));

/** Folders of the cases that run; each is named by nobody else. */
const folders = new Set<string>();

/** Everything that was started for the case: its folder stands in their environment. */
function endProcesses(folder: string): void {
  const mine = `TMPDIR=${folder}`;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mine)) continue;
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has gone by itself, or is another user's.
    }
  }
}

function unmountBelow(folder: string): void {
  const places = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of places.reverse()) spawnSync('umount', ['-l', place]);
}

function clear(folder: string): void {
  endProcesses(folder);
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

process.once('exit', () => {
  for (const folder of folders) clear(folder);
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code));
}

export interface Told {
  readonly ok: boolean;
  /** Its figures, or why it failed. */
  readonly told: string;
}

/** Runs it until it ends, or its minutes are over. */
export async function runApart(one: FaultCase, wish: Wish): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  folders.add(folder);
  const words = [
    ...(one.ownNetwork ? OWN_NETWORK : []),
    ...[process.execPath, PROGRAM, '--inside', one.name],
    ...['--seed', String(wish.seed), '--soak-days', String(wish.soakDays)],
  ];
  const child = spawn(words[0] as string, words.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += String(bytes);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    err = (err + String(bytes)).slice(-4_000);
  });
  const minutes = one.minutes(wish);
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    endProcesses(folder);
  }, minutes * 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  clear(folder);
  if (code === 0) return { ok: true, told: out.trim() };
  return { ok: false, told: isLate ? `not over after ${minutes} minutes. ${err}` : err.trim() };
}
