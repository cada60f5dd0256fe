/** A line that keeps a promise, what becomes of it, and the tests of which one must then fail. */
export interface Guard {
  name: string
  file: string
  /** Is in the file exactly once. */
  text: string
  becomes: string
  tests: string[]
}

/** The guards of one file. */
export const guardsIn =
  (file: string) =>
  (name: string, text: string, becomes: string, ...tests: string[]): Guard => ({
    name,
    file,
    text,
    becomes,
    tests: tests.map((test) => `test/${test}.test.ts`),
  })

/** The file without the guard. */
export function without({ file, text, becomes }: Guard, source: string): string {
  const parts = source.split(text)
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} times, not once: ${text}\nAmend the table of guards.`)
  }
  return parts.join(becomes)
}
