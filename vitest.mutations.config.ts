import { defineConfig } from 'vitest/config'
import quick from './vitest.config.ts'

/** What dies without each guard: `npm run test:mutations`. */
export default defineConfig({
  test: { ...quick.test, include: ['test/mutations/**/*.long.ts'], testTimeout: 240_000, maxConcurrency: 2 },
})
