// Loads and edits settings in a process of its own: what parses and checks them would otherwise stay in the daemon's memory for years.

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Profile } from '../domain/profile.ts';
import type { Checked } from './check-settings.ts';
import type { Edited, EditStep } from './edit-settings.ts';

/** A disk that does not answer is the supervisor's to see, not a reason to wait for ever: milliseconds of the system. */
const PATIENCE_MS = 60_000;

/** The program, beside this file once built. */
const PROGRAM = fileURLToPath(new URL('apart-program.js', import.meta.url));

/** What that process can do. `root` is the package's folder. */
export interface Tasks {
  load(options: { readonly file: string; readonly root: string }): Promise<Checked>;
  edit(options: {
    readonly file: string;
    readonly root: string;
    readonly steps: readonly EditStep[];
    readonly text?: string;
  }): Promise<Edited>;
  /** All profiles of `<root>/devices` that can be read. */
  profiles(options: { readonly root: string }): Promise<readonly Profile[]>;
}

/** One of the tasks with its options. */
export interface Asked {
  readonly task: keyof Tasks;
  readonly options: unknown;
}

/**
 * The tasks, for a program that goes on to run: YAML parser and schema compiler (22 MiB measured) end with the process that
 * used them. Where that process cannot do it, it is done here.
 */
export const apart: Tasks = {
  load: ({ file, root }) => done('load', { file, root }),
  edit: ({ file, root, steps, text }) =>
    done('edit', { file, root, steps, ...(text !== undefined && { text }) }),
  profiles: ({ root }) => done('profiles', { root }),
};

async function done<T extends keyof Tasks>(
  task: T,
  options: Parameters<Tasks[T]>[0],
): Promise<Awaited<ReturnType<Tasks[T]>>> {
  const said = await fromChild(task, options);
  if (said !== undefined) return said;
  const { tasks } = await import('./apart-tasks.ts');
  const here = tasks[task] as (options: unknown) => ReturnType<Tasks[T]>;
  return await here(options);
}

/** Undefined where there is no such process, or it ended without an answer. */
function fromChild<T extends keyof Tasks>(
  task: T,
  options: Parameters<Tasks[T]>[0],
): Promise<Awaited<ReturnType<Tasks[T]>> | undefined> {
  if (!existsSync(PROGRAM)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    // What the sender means arrives as it was: undefined, Infinity and one profile shared by many meters.
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      execArgv: [],
      timeout: PATIENCE_MS,
    });
    let said: Awaited<ReturnType<Tasks[T]>> | undefined;
    child.on('message', (message) => {
      said = message as typeof said;
    });
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(said));
    const asked: Asked = { task, options };
    child.send(asked, () => {});
  });
}
