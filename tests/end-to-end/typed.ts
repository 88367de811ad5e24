// Types a command at the built program, as a technician would, while the collector runs.

import { execFile } from 'node:child_process';
import { collectorProgram } from '../../simulator/collector-process.ts';

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `meter-collector WORDS --config CONFIG --json`; never rejects. */
export function typed(config: string, ...words: string[]): Promise<Said> {
  const program = collectorProgram() ?? '';
  return new Promise((resolve) => {
    const args = [program, ...words, '--config', config, '--json'];
    const child = execFile(process.execPath, args, (_, out, err) =>
      resolve({ exit: child.exitCode ?? -1, out, err }),
    );
  });
}
