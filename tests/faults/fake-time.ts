// The wall clock of a process, stepped while it runs; its monotonic clock is left alone.

import { existsSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LIBRARY = 'faketime/libfaketimeMT.so.1';

/** Where libfaketime for programs with threads lies; undefined where it is not installed. */
export function fakeTimeLibrary(): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib', '/usr/lib64'];
  const below = existsSync('/usr/lib')
    ? readdirSync('/usr/lib').map((dir) => `/usr/lib/${dir}`)
    : [];
  return [...below, ...folders].map((dir) => join(dir, LIBRARY)).find((path) => existsSync(path));
}

/** A wall clock that is wrong by what a file says. */
export class FakeTime {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'faketime');
  }

  /** What a process is started in so that it sees this clock. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: fakeTimeLibrary() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** The wall clock is so many ms of the system ahead; less than 0: behind. */
  async set(ms: number): Promise<void> {
    // Never half a file: it is read at every look at the clock.
    await writeFile(`${this.#file}.new`, `${ms < 0 ? '' : '+'}${(ms / 1000).toFixed(3)}\n`);
    await rename(`${this.#file}.new`, this.#file);
  }
}
