// The collector under demonstration: the real program in a process of its own, with its log in a file.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How a process ended, in words. */
export type Ending = string;

/** How long the collector may take to publish its last and stop. */
export const STOP_MS = 15_000;

/** Lines of the log that are worth showing when it dies. */
const LAST_LINES = 12;

/**
 * The compiled collector beside the compiled simulator, or, when this file runs as it is written, in dist/.
 * Undefined when it has not been built.
 */
export function collectorProgram(): string | undefined {
  const source = import.meta.url.endsWith('.ts');
  const program = new URL(source ? '../dist/src/main.js' : '../src/main.js', import.meta.url);
  const path = fileURLToPath(program);
  return existsSync(path) ? path : undefined;
}

/** What a process is started in. */
export interface Surroundings {
  /** A program, with its arguments, that becomes the collector: `unshare`, `strace -D`. */
  readonly before?: readonly string[];
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Lives from `start` until `ended`. */
export class CollectorProcess {
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #log: string;
  #isGone = false;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    // In a group of its own it would outlive a demo that ends by a mistake.
    const killOnExit = () => this.kill();
    process.once('exit', killOnExit);
    this.ended = new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
      );
    }).finally(() => {
      this.#isGone = true;
      process.off('exit', killOnExit);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Starts `run --config config --json` in `surroundings`; both its outputs go to the file `log`. */
  static start(
    program: string,
    config: string,
    log: string,
    { before = [], env = {} }: Surroundings = {},
  ): CollectorProcess {
    const file = openSync(log, 'a');
    const words = [...before, process.execPath, program, 'run', '--config', config, '--json'];
    const child = spawn(words[0] as string, words.slice(1), {
      // Over the channel nothing is said: its end tells the collector that we are gone, even by SIGKILL.
      stdio: ['ignore', file, file, 'ipc'],
      env: { ...process.env, ...env, METER_COLLECTOR_LEASH: '1' },
      // A group of its own: Ctrl-C at the terminal is the demo's, which lets the last hours arrive first.
      detached: true,
    });
    closeSync(file);
    child.channel?.unref();
    return new CollectorProcess(child, log);
  }

  /** Sends it a signal, as long as it is there. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#isGone) this.#child.kill(signal);
  }

  /** Asks it to stop and waits. False when it had to be killed after STOP_MS. */
  async stop(): Promise<boolean> {
    if (this.#isGone) return true;
    this.#child.kill('SIGTERM');
    const late = new Promise<'late'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), STOP_MS);
      void this.ended.then(() => clearTimeout(timer));
    });
    if ((await Promise.race([this.ended, late])) !== 'late') return true;
    this.kill();
    await this.ended;
    return false;
  }

  /** Ends it at once. */
  kill(): void {
    this.signal('SIGKILL');
  }

  /** The last lines it wrote. */
  lastLines(): string[] {
    if (!existsSync(this.#log)) return [];
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
  }
}
