// How the tests run: real parts get time, nothing is global, and each device file is a test file of its own.
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

const EXAMPLES = join(import.meta.dirname, 'devices', 'examples.ts');

export default defineConfig({
  plugins: [
    {
      // So that `npm test -- devices/NAME` runs the examples of one file, and every new file is run without being named.
      name: 'device-examples',
      enforce: 'pre',
      load(id) {
        if (!/\/devices\/[^/]+\.yaml$/.test(id)) return null;
        const name = JSON.stringify(basename(id, '.yaml'));
        return `import { testDevice } from ${JSON.stringify(EXAMPLES)};\nawait testDevice(${name});\n`;
      },
    },
  ],
  test: {
    include: ['tests/**/*.test.ts', 'devices/*.yaml'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most of the time is spent waiting for real ports and brokers, and one of them for the seeds of the hostile world.
    maxWorkers: 4,
    // A file puts back what it changes, so all may share a process and what it has loaded: a minute and a half of processor.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
