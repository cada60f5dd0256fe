/** A piece of source code that enforces a guarantee, and the tests of which at least one must fail without it. */
export interface Guard {
  name: string
  file: string
  /** The source code. It occurs exactly once in the file. */
  text: string
  /** The source code that takes its place in the mutant. */
  replacement: string
  /** Paths of test files. */
  tests: string[]
}

/** Returns a function that creates the guards of one file. Tests are named without `test/` and `.test.ts`. */
export const guardsIn =
  (file: string) =>
  (name: string, text: string, replacement: string, ...tests: string[]): Guard => ({
    name,
    file,
    text,
    replacement,
    tests: tests.map((test) => `test/${test}.test.ts`),
  })

/**
 * Returns the source of a file with the guard replaced.
 *
 * @throws Error if the file does not contain the guard's text exactly once
 */
export function removeGuard({ name, file, text, replacement }: Guard, source: string): string {
  const parts = source.split(text)
  if (parts.length !== 2) {
    throw new Error(
      `The guard "${name}" must occur once in ${file}, but its text occurs ${parts.length - 1} times:\n${text}\nUpdate the guard in test/mutations.`,
    )
  }
  return parts.join(replacement)
}
