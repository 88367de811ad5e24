// The C programs of the bus bench: compiled from their sources when a compiler and libmodbus are there, started, and read.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const NAMES = ['modbus-server', 'modbus-client', 'paced-line'] as const;

/** Where the sources stand, whether this file runs as it is written or built. */
function sources(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return join(at, 'tests/bench/bus');
    if (at === dirname(at)) throw new Error('the sources of the bench are not there');
  }
}

/** Compiled programs in a folder of their own. */
export interface Programs {
  run(name: (typeof NAMES)[number], ...args: string[]): Program;
  dispose(): void;
}

/** Compiles the programs; null when there is no compiler or no libmodbus (Debian: gcc, libmodbus-dev). */
export function compilePrograms(): Programs | null {
  const folder = mkdtempSync(join(tmpdir(), 'bench-bus-'));
  try {
    for (const name of NAMES) {
      const source = join(sources(), `${name}.c`);
      const args = ['-O2', '-I/usr/include/modbus', '-o', join(folder, name), source, '-lmodbus'];
      execFileSync('cc', args, { stdio: 'ignore' });
    }
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    run: (name, ...args) => new Program(spawn(join(folder, name), args)),
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

/** A program that prints lines and ends with its standard input. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    const { stdout } = child;
    if (stdout === null) throw new Error('a program without output');
    createInterface({ input: stdout }).on('line', (line) => {
      const first = this.#waiting.shift();
      if (first === undefined) this.#lines.push(line);
      else first(line);
    });
    child.on('exit', () => {
      for (const wake of this.#waiting.splice(0)) wake('');
    });
  }

  /** The next line it prints; empty when it ended. */
  line(): Promise<string> {
    const first = this.#lines.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Closes its input. */
  end(): void {
    this.#child.stdin?.end();
  }

  kill(): void {
    this.#child.kill();
  }
}
