import { expect } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { ServerProcess } from '../setup/server-process.ts'

export const SOUND = { DATABASE_URL: 'mysql://root@127.0.0.1:1/nowhere', JWT_SECRET, PORT: '0' }

export const wholeNumber = (min: number, max: number, value: string, example: number) =>
  `must be a whole number from ${min} to ${max}; it is "${value}"; set it to ${example}, for example`

/** Expects that the process exits with code 1 before it listens, and that it prints only this message. */
export async function expectRefused(env: Record<string, string | undefined>, message: string | RegExp): Promise<void> {
  await using server = new ServerProcess(env)
  expect(await server.exitCode()).toBe(1)
  if (typeof message === 'string') expect(server.stderr).toBe(`pointwise: Invalid configuration: ${message}\n`)
  else expect(server.stderr).toMatch(message)
  expect(server.stdout).not.toContain('listening')
  expect(server.stderr).not.toMatch(/\n\s+at /)
}
