// Loads the settings in a process of its own: what parses and checks them would otherwise stay in the daemon's memory for years.

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Checked } from './check-settings.ts';

/** A disk that does not answer is the supervisor's to see, not a reason to wait for ever: milliseconds of the system. */
const PATIENCE_MS = 60_000;

/** The program, beside this file once built. */
const PROGRAM = fileURLToPath(new URL('load-program.js', import.meta.url));

/**
 * As `loadSettings`, for a program that goes on to run: YAML parser and schema compiler (22 MiB measured) end with the
 * process that used them. Undefined where that process could not do it; then the caller loads them itself.
 */
export async function loadApart(options: {
  readonly file: string;
  readonly root: string;
}): Promise<Checked | undefined> {
  if (!existsSync(PROGRAM)) return undefined;
  return new Promise((resolve) => {
    const { file, root } = options;
    // What the sender means arrives as it was: undefined, Infinity and one profile shared by many meters.
    const child = fork(PROGRAM, [file, root], {
      serialization: 'advanced',
      execArgv: [],
      timeout: PATIENCE_MS,
    });
    let checked: Checked | undefined;
    child.on('message', (message) => {
      checked = message as Checked;
    });
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(checked));
  });
}
