import { expect } from 'vitest'

const SUITES_WITH_DEADLINES = ['faults', 'cluster']

/**
 * Asserts that something took less than a promised time. Elapsed time depends on what else the machine does, so only
 * `npm run test:faults` and `npm run test:cluster` assert it, which run one file at a time. The former includes every file of
 * `npm run test:all` that imports this module.
 */
export function expectWithin(elapsedMs: number, limitMs: number): void {
  if (SUITES_WITH_DEADLINES.includes(process.env.TEST_SUITE ?? '')) expect(elapsedMs).toBeLessThan(limitMs)
}
