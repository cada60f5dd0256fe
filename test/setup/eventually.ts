import { expect } from 'vitest'
import { isMutant } from './suite.ts'

const LIMIT_MS = isMutant ? 30_000 : 120_000

/**
 * Waits until a fact holds: `await eventually(() => rows.length).toBe(3)`. Calls the function repeatedly, also after it
 * throws. The timeout is a limit for a test that would never end, and no promise about time.
 */
export function eventually<T>(fact: () => T | Promise<T>, { timeout = LIMIT_MS, interval = 10 } = {}) {
  return expect.poll(fact, { timeout, interval })
}
