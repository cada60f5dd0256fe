import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/global.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // They wait for the database, and for each other, more than they compute.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Nothing is mocked and each worker has databases of its own, so the server's modules are loaded once for each.
    isolate: false,
  },
})
