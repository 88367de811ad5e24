// The long campaigns: everything that `npm test` does a tenth of, with its figures printed.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: 'tests/proof',
    include: ['**/*.proof.ts'],
    testTimeout: 30 * 60_000,
    fileParallelism: false,
    reporters: ['default'],
    disableConsoleIntercept: true,
  },
});
