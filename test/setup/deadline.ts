import { expect } from 'vitest'

/**
 * Asserts that something took less than a promised time. Elapsed time depends on what else the machine does, so only
 * `npm run test:faults` asserts it, which runs one file at a time. That suite includes every file that imports this module.
 */
export function expectWithin(elapsedMs: number, limitMs: number): void {
  if (process.env.TEST_SUITE === 'faults') expect(elapsedMs).toBeLessThan(limitMs)
}
