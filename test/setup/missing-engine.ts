import { existsSync } from 'node:fs'

/**
 * Why the tests that need an engine are skipped: its variable of the environment does not name a program. Undefined if it does.
 *
 * @param runs what the program runs
 */
export function missingEngine(variable: string, runs: string): string | undefined {
  const program = process.env[variable]
  return program && existsSync(program) ? undefined : `skipped: ${variable} does not name a program that runs ${runs}`
}
