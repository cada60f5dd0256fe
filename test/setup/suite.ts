/** Whether `npm run test:all` runs, and not `npm test`. */
export const isCompleteSuite: boolean = process.env.TEST_SUITE === 'all'

/** The size of a sample: the first value in `npm test`, the second in `npm run test:all`. */
export function inSuite<T>(quick: T, complete: T): T {
  return isCompleteSuite ? complete : quick
}
