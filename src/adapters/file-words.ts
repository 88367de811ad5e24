// What a file system's refusal means, as part of a sentence for people.

import { dirname } from 'node:path';

const MEANINGS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `there is no ${path}`,
  ENOTDIR: (path) => `there is no ${path}`,
  EISDIR: (path) => `the path ${path} is a folder`,
  EACCES: (path) => `this user may not open ${path}`,
  EPERM: (path) => `this user may not open ${path}`,
  EROFS: (path) => `the disk of ${path} can only be read`,
  ENOSPC: (path) => `the disk of ${path} is full`,
  EIO: (path) => `the disk of ${path} does not answer for it`,
};

/** Of a file that was to be made: what is missing is the folder. */
export function newFileError(cause: unknown, path: string): Error {
  const { code } = cause as Partial<NodeJS.ErrnoException>;
  return code === 'ENOENT'
    ? Object.assign(new Error(`there is no folder ${dirname(path)}`, { cause }), { code })
    : fileError(cause, path);
}

/** The same as an error that keeps the system's code. */
export function fileError(cause: unknown, path: string): Error {
  const { code } = cause as Partial<NodeJS.ErrnoException>;
  return Object.assign(new Error(fileWords(cause, path), { cause }), { code });
}

/** `cause` of an operation on `path`, without a full stop; in the words of the system where it is a rare one. */
export function fileWords(cause: unknown, path: string): string {
  const { code = '', message = String(cause) } = cause as Partial<NodeJS.ErrnoException>;
  return MEANINGS[code]?.(path) ?? message;
}
