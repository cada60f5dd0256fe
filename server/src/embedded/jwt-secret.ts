import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const SECRET_BYTES = 32

/**
 * Returns the JWT secret of the embedded mode. It is created on the first start and stored in `directory`, readable only by
 * the current user, so that tokens stay valid across restarts.
 */
export async function loadOrCreateSecret(directory: string): Promise<Uint8Array> {
  const file = join(directory, 'jwt-secret')
  const created = randomBytes(SECRET_BYTES).toString('hex')
  await writeFile(file, created, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return new TextEncoder().encode(await readFile(file, 'utf8'))
}
