// What a file system's refusal means, in a sentence for people.

/** Undefined where it is none: then it is a bug. */
export function fileSentence(error: unknown): string | undefined {
  const { code, path, message } = error as NodeJS.ErrnoException;
  // A folder opens well, and cannot be read: that error names no path.
  if (code === 'EISDIR') return path ? `${path} is a folder.` : 'It is a folder, not a file.';
  if (typeof code !== 'string' || path === undefined) return undefined;
  if (code === 'ENOENT') return `There is no ${path}.`;
  if (code === 'EACCES') return `This user may not open ${path}.`;
  if (code === 'ENOSPC') return `The disk of ${path} is full.`;
  return `${path} cannot be opened: ${message}.`;
}

/** What to do about it. */
export function fileHint(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') return 'Give a path that this user may use, or ask as the one who may.';
  if (code === 'ENOSPC') return 'Free some room, or give a path on another disk.';
  if (code === 'EISDIR') return 'Give the path of a file.';
  return 'Is the path right?';
}

/** The error with the file it is of: that of a write names none. */
export function ofFile(error: Error, path: string): Error {
  return Object.assign(error, { path });
}
