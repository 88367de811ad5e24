// Makes the system calls of a running process fail or take long, until it is taken off again.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { until } from '../fakes/until.ts';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const strace of running) strace.kill('SIGKILL');
});

/** One kind of failure. */
export interface Injection {
  /** Names of system calls. */
  readonly calls: readonly string[];
  /** As strace has it: `error=EIO`, `delay_exit=2000000`, `error=EIO:when=1..6`. */
  readonly how: string;
  /** Only calls on these files, by their absolute paths; absent: on all. */
  readonly paths?: readonly string[];
}

/** The arguments of strace for it; what was traced goes to `file`. */
export function straceWords({ calls, how, paths = [] }: Injection, file: string): string[] {
  return [
    ...['-f', '-o', file, '-e', `trace=${calls.join(',')}`, '-e', 'signal=none'],
    ...['-e', `inject=${calls.join(',')}:${how}`, ...paths.flatMap((path) => ['-P', path])],
  ];
}

/** How often it struck. */
export async function injectedIn(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split(/\((?:INJECTED|DELAYED)\)/).length - 1;
}

/** On all threads of a process, from `onto` to `off`. */
export class Strace {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async onto(pid: number, injection: Injection, file: string): Promise<Strace> {
    const child = spawn('strace', [...straceWords(injection, file), '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(child);
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said += String(bytes);
    });
    await until(
      'strace is on the process',
      () => {
        if (child.exitCode !== null) throw new Error(`strace ended: ${said}`);
        return /attached/.test(said);
      },
      60_000,
    );
    return new Strace(child, file);
  }

  /** Takes it off; resolves to how often it struck. */
  async off(): Promise<number> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGINT');
      await gone;
    }
    running.delete(this.#child);
    return injectedIn(this.#file);
  }
}
