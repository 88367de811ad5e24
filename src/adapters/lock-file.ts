// A lock between processes as a file: whose it is stands in it from its first moment, so no kill and no power cut leaves it to nobody.

import { readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { unless } from './files.ts';

/** Locks that this process holds or is about to take. */
const OURS = new Set<string>();

/** On a full disk there is no lock to be had, for anybody; a journal is opened there all the same, and its room comes from it. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** A stale lock is taken away, then tried for once more; who is quicker has it. */
const TRIES = 2;

/** Takes the lock at `path`. False while a process that lives holds it, this one too. Throws what the file system says. */
export async function tryLock(path: string): Promise<boolean> {
  if (OURS.has(path)) return false;
  OURS.add(path);
  let taken = false;
  try {
    for (let tries = 0; tries < TRIES && !taken; tries += 1) {
      taken = await place(path);
      if (!taken && !(await takeAwayStale(path))) break;
    }
    return taken;
  } finally {
    if (!taken) OURS.delete(path);
  }
}

/**
 * Frees the lock; never rejects. Where a disk has become read-only its file stays: it keeps nobody out once this process has ended, nor
 * this process itself.
 */
export async function freeLock(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
  OURS.delete(path);
}

/** A symbolic link comes into being with its text; a file is empty first, and after a power cut perhaps for good. */
async function place(path: string): Promise<boolean> {
  const text = `${process.pid} ${await birthOf(process.pid)}`;
  try {
    await symlink(text, path);
    return true;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    if (FULL.includes(code)) return true;
    // FAT has none.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw cause;
  }
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (FULL.includes(code)) return true;
    if (code !== 'EEXIST') throw cause;
    return false;
  }
}

/** True where nobody holds it any more. */
async function takeAwayStale(path: string): Promise<boolean> {
  const link = await unless(readlink(path), ['ENOENT', 'EINVAL']);
  const text = link ?? (await unless(readFile(path, 'utf8'), ['ENOENT']));
  if (text === undefined) return true;
  const [pid = '', ...birth] = text.split(' ');
  const holder = Number(pid);
  if (holder > 0 && (await isAlive(holder, birth.join(' ')))) return false;
  await rm(path, { force: true });
  return true;
}

/** Whether the process lives that was born then; another may bear its number now, after a restart of the machine nearly always. */
async function isAlive(pid: number, birth: string): Promise<boolean> {
  // In a container the one before us had our own number; what this process holds is not asked for here.
  if (pid === process.pid) return false;
  const now = await birthOf(pid);
  // Earlier versions left no birth.
  if (now !== '') return birth === '' || birth === now;
  // Another user's process is in no /proc that hides it (systemd's ProtectProc), and there all the same.
  return isThere(pid) && (birth === '' || birth.split(' ')[0] === (await bootNow()));
}

/** getpriority(2) may be asked of every process; the number itself is nothing to us. */
function isThere(pid: number): boolean {
  try {
    getPriority(pid);
    return true;
  } catch {
    return false;
  }
}

/** The boot and the tick in it at which a process began (proc(5)); nothing where there is none of that number. */
async function birthOf(pid: number): Promise<string> {
  const stat = await unless(readFile(`/proc/${pid}/stat`, 'latin1'), ['ENOENT', 'ESRCH']);
  if (stat === undefined) return '';
  // Behind the name, which may hold anything, the beginning is the 20th.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${await bootNow()} ${ticks}`;
}

async function bootNow(): Promise<string> {
  const boot = await unless(readFile('/proc/sys/kernel/random/boot_id', 'latin1'), ['ENOENT']);
  return boot?.trim() ?? '';
}
