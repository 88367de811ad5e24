// How the tests run: real parts get time, nothing is global.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'tests',
    include: ['**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most of the time is spent waiting for real ports and brokers.
    maxWorkers: 3,
  },
});
