// A small text file of mode 0600 that several processes change in turn: a lock beside it, a new file moved into its place.

import { chown, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, SharedText } from '../boundaries.ts';
import { faulty, good, type Result } from '../domain/fault.ts';
import { fileWords, newFileError } from './file-words.ts';
import { moveIn, unless, writeSynced } from './files.ts';
import { freeLock, tryLock } from './lock-file.ts';

/** Accounts and tokens: some tens of lines. More is not ours, and is not read. */
const BYTES_MAX = 256 * 1024;
/** Another process holds the lock for one write: some milliseconds, on a slow card a second. */
const LOCK_TRIES = 100;
const LOCK_REST_MS = 50;

/** `clock` is the wire's. The folder must be there. */
export function createSharedText(path: string, clock: Clock): SharedText {
  let known: { mark: string; text: string | undefined } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<Result<string | undefined>> => {
    try {
      const found = await unless(stat(path, { bigint: true }), ['ENOENT']);
      const mark = found ? `${found.ino}.${found.size}.${found.mtimeNs}.${found.ctimeNs}` : '';
      if (known?.mark === mark) return good(known.text);
      if (found && found.size > BYTES_MAX) return faulty('store.failed', `${path} is too large`);
      const text = found ? await readFile(path, 'utf8') : undefined;
      known = { mark, text };
      return good(text);
    } catch (cause) {
      return faulty('store.failed', fileWords(cause, path));
    }
  };

  const replace = async (text: string): Promise<void> => {
    const aside = `${path}.new`;
    // The command line may be root's: the file stays the daemon's.
    const owner = (await unless(stat(path), ['ENOENT'])) ?? (await stat(dirname(path)));
    await rm(aside, { force: true });
    await writeSynced(aside, text, { flag: 'wx', mode: 0o600 });
    await chown(aside, owner.uid, owner.gid).catch(() => undefined);
    await moveIn(aside, path);
  };

  const changeAlone = async <T>(
    edit: (text: string | undefined) => { readonly text?: string; readonly outcome: T },
  ): Promise<Result<T>> => {
    const lock = `${path}.lock`;
    try {
      if (!(await takeLock(lock, clock))) {
        return faulty('store.failed', `another process holds ${lock}`);
      }
      try {
        // What stands there now, whatever a moment's time stamp says.
        known = undefined;
        const before = await read();
        if (!before.ok) return before;
        const { text, outcome } = edit(before.value);
        if (text !== undefined && text !== before.value) await replace(text);
        known = undefined;
        return good(outcome);
      } finally {
        await freeLock(lock);
      }
    } catch (cause) {
      // The file may well be missing before the first change; what is missing then is the folder.
      return faulty('store.failed', newFileError(cause, path).message);
    }
  };

  return {
    read,
    change(edit) {
      const mine = turn.then(() => changeAlone(edit));
      turn = mine;
      return mine;
    },
  };
}

/** False when a process that lives held it all the time. */
async function takeLock(lock: string, clock: Clock): Promise<boolean> {
  for (let tries = 0; tries < LOCK_TRIES; tries += 1) {
    if (await tryLock(lock)) return true;
    await clock.sleep(LOCK_REST_MS);
  }
  return false;
}
