import { mkdir } from 'node:fs/promises'
import { type DatabaseProvider, type DevelopmentDatabase, findDatabase } from '@pointwise/db/development'
import type { TokenConfig } from '../auth/authenticate.ts'
import type { EmbeddedConfig } from '../config.ts'
import { DATA_DIRECTORY } from './data-directory.ts'
import type { Signing } from './demo-tokens.ts'
import { loadOrCreateSecret } from './jwt-secret.ts'
import { findRunningServer } from './server-file.ts'

export interface Embedded {
  mode: 'embedded'
  database: DevelopmentDatabase
  databaseUrl: string
  /** The configured key, or the secret of the embedded mode. */
  tokens: TokenConfig
  /** What the demo tokens are signed with. */
  signing: Signing
}

/**
 * Starts the database of the embedded mode, and creates its JWT secret on the first start. For development. The caller
 * must stop `database`.
 */
export async function startEmbedded(config: EmbeddedConfig, print: (line: string) => void): Promise<Embedded> {
  await mkdir(DATA_DIRECTORY, { recursive: true, mode: 0o700 })
  const database = await findEmbeddedDatabase(config.databaseProvider, print)
  // After the database, whose lock admits one process to the directory at a time.
  const secret = await loadOrCreateSecret(DATA_DIRECTORY, print).catch(async (error: unknown) => {
    await database.stop()
    throw error
  })
  const { key = { secret }, ...claims } = config.tokens
  return {
    mode: 'embedded',
    database,
    databaseUrl: database.url,
    tokens: { ...claims, key },
    signing: { ...claims, secret: 'secret' in key ? key.secret : secret },
  }
}

/**
 * Returns the database of the embedded mode, for tools such as the audit: the database of the running server, or, when no
 * server is running, the stored database, which is started and runs until the caller stops it.
 */
export async function openEmbeddedDatabase(
  provider: DatabaseProvider | undefined,
  print: (line: string) => void,
): Promise<DevelopmentDatabase> {
  const running = await findRunningServer()
  if (running) {
    const description = `the database of the server at ${running.url}`
    return { url: running.databaseUrl, description, location: description, stop: async () => undefined }
  }
  print('No server is running. Its database is started now and stopped afterwards.')
  return findEmbeddedDatabase(provider, print)
}

function findEmbeddedDatabase(
  provider: DatabaseProvider | undefined,
  print: (line: string) => void,
): Promise<DevelopmentDatabase> {
  return findDatabase({ provider, directory: DATA_DIRECTORY, keep: true, database: 'pointwise', print })
}
