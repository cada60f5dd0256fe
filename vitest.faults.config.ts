import { defineConfig } from 'vitest/config'
import quick from './vitest.config.ts'

/** The faults that take minutes: `npm run test:faults`. */
export default defineConfig({
  test: { ...quick.test, include: ['test/faults/**/*.long.ts'], testTimeout: 240_000 },
})
