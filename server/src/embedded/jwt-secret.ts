import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from './write-atomically.ts'

const SECRET_BYTES = 32
const SECRET = new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`)

/**
 * Returns the JWT secret of the embedded mode. It is created on the first start and stored in `directory`, readable only by
 * the current user, so that tokens stay valid across restarts. An incomplete secret is replaced, which is printed. Only one
 * process may call it at a time.
 *
 * @throws Error when the file can be neither read nor written.
 */
export async function loadOrCreateSecret(directory: string, print: (line: string) => void): Promise<Uint8Array> {
  const file = join(directory, 'jwt-secret')
  const stored = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (stored !== undefined && SECRET.test(stored)) return new TextEncoder().encode(stored)
  if (stored !== undefined) {
    print(`The token secret in ${file} is incomplete and is replaced. Tokens that it has signed are no longer valid.`)
  }
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  await writeAtomically(file, secret)
  return new TextEncoder().encode(secret)
}
