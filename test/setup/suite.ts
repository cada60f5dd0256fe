/** Whether `npm run test:all` or `npm run test:engine` runs, and not `npm test`. */
export const isCompleteSuite: boolean = ['all', 'engine'].includes(process.env.TEST_SUITE ?? '')

/** Whether the tests run on a mutant, where a test is expected to fail, also one that waits for something that never happens. */
export const isMutant: boolean = process.env.TEST_SUITE === 'mutants'

/** The size of a sample: the first value in `npm test`, the second in `npm run test:all` and `npm run test:engine`. */
export function inSuite<T>(quick: T, complete: T): T {
  return isCompleteSuite ? complete : quick
}
