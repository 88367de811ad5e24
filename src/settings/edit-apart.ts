// Edits the settings in a process of its own: what parses and checks them would otherwise stay in the daemon's memory for years.

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Edited, EditStep } from './edit-settings.ts';

const PATIENCE_MS = 60_000;

/** The program, beside this file once built. */
const PROGRAM = fileURLToPath(new URL('edit-program.js', import.meta.url));

/** As `editSettings`, elsewhere; here where that process cannot do it. */
export async function editApart(options: {
  readonly file: string;
  readonly root: string;
  readonly steps: readonly EditStep[];
  readonly text?: string;
}): Promise<Edited> {
  const edited = existsSync(PROGRAM) ? await fromChild(options) : undefined;
  return edited ?? (await import('./edit-settings.ts')).editSettings(options);
}

function fromChild(options: object): Promise<Edited | undefined> {
  return new Promise((resolve) => {
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      execArgv: [],
      timeout: PATIENCE_MS,
    });
    let edited: Edited | undefined;
    child.on('message', (message) => {
      edited = message as Edited;
    });
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(edited));
    child.send(options);
  });
}
