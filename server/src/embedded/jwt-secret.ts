import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const SECRET_BYTES = 32

/** The secret of the embedded mode: made at the first start and kept beside the data, so that tokens outlive a restart. */
export async function loadOrCreateSecret(directory: string): Promise<Uint8Array> {
  const file = join(directory, 'jwt-secret')
  const fresh = randomBytes(SECRET_BYTES).toString('hex')
  await writeFile(file, fresh, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return new TextEncoder().encode(await readFile(file, 'utf8'))
}
