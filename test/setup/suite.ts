/** Whether `npm run test:all` runs, and not `npm test`. */
export const isCompleteSuite: boolean = process.env.TEST_SUITE === 'all'

/** Whether the tests run on a mutant, where one that waits for ever is expected and should fail soon. */
export const isMutant: boolean = process.env.TEST_SUITE === 'mutants'

/** The size of a sample: the first value in `npm test`, the second in `npm run test:all`. */
export function inSuite<T>(quick: T, complete: T): T {
  return isCompleteSuite ? complete : quick
}
