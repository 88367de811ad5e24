// Whether this user may keep a journal in a folder, looked at before anything is opened there.

import { access, constants, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** `denied`: this user may not use `path`; `foreign`: what lies in this user's own folder is another's; `file`: it is no folder. */
export interface FolderTrouble {
  readonly why: 'denied' | 'foreign' | 'file';
  readonly path: string;
}

/** By these it is seen whether somebody is at work there. */
const LOCKED = ['store', join('store', 'LOCK')];

const { R_OK, W_OK, X_OK } = constants;

/**
 * What keeps this user from a journal in `folder` for good, or null. A disk that is full, read-only or broken is none of it: it may
 * be well again, and is looked at by who opens the journal. Never rejects.
 */
export async function folderTrouble(folder: string): Promise<FolderTrouble | null> {
  const whole = resolve(folder);
  const found = await stat(whole).catch(codeOf);
  if (found === 'ENOENT' || found === 'ENOTDIR') return makingTrouble(dirname(whole), whole);
  if (found === 'EACCES') return { why: 'denied', path: whole };
  if (typeof found === 'string') return null;
  if (!found.isDirectory()) return { why: 'file', path: whole };
  if (await isDenied(whole, R_OK | W_OK | X_OK)) return { why: 'denied', path: whole };
  for (const name of LOCKED) {
    const path = join(whole, name);
    if (await isDenied(path, R_OK | W_OK)) return { why: 'foreign', path };
  }
  return null;
}

/** The folder is to be made below the nearest one that is there. */
async function makingTrouble(above: string, folder: string): Promise<FolderTrouble | null> {
  const found = await stat(above).catch(codeOf);
  if (found === 'ENOENT') return makingTrouble(dirname(above), folder);
  if (found === 'EACCES') return { why: 'denied', path: above };
  if (found === 'ENOTDIR') return { why: 'file', path: above };
  if (typeof found === 'string') return null;
  if (!found.isDirectory()) return { why: 'file', path: above };
  return (await isDenied(above, W_OK | X_OK)) ? { why: 'denied', path: above } : null;
}

/** A disk that can only be read says so (EROFS) before it is asked whose a folder is. */
const isDenied = async (path: string, mode: number) =>
  (await access(path, mode).catch(codeOf)) === 'EACCES';

const codeOf = (cause: unknown): string => String((cause as NodeJS.ErrnoException).code ?? '');
