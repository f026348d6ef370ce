import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/properties.ts'],
    globalSetup: ['test/support/scratch-space.ts'],
    // Against what hangs: on a machine that does other things too, ten times as long as when it is quiet is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Vitest leaves one to itself, which has little to do.
    maxWorkers: availableParallelism(),
  },
});
