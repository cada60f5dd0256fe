import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Pool, Reader } from '@pointwise/db'
import { type DatabaseProvider, type DevelopmentDatabase, findDatabase } from '@pointwise/db/development'
import type { DemoUser } from '../http/web/storefront.ts'
import * as users from '../users/service.ts'
import { adminToken, userToken } from './demo-tokens.ts'
import { loadOrCreateSecret } from './jwt-secret.ts'
import { seedIfEmpty } from './seed.ts'

const DIRECTORY = fileURLToPath(new URL('../../../.pointwise', import.meta.url))
const RUNNING_WITHIN_MS = 2_000
const DEMO_USERS_MAX = 20

export interface Embedded extends DevelopmentDatabase {
  secret: Uint8Array
}

/** Starts the embedded mode's own database and makes its secret. For development: there is no `DATABASE_URL`. */
export async function startEmbedded(
  provider: DatabaseProvider | undefined,
  print: (line: string) => void,
): Promise<Embedded> {
  await mkdir(DIRECTORY, { recursive: true, mode: 0o700 })
  const secret = await loadOrCreateSecret(DIRECTORY)
  const database = await findDatabase({ provider, directory: DIRECTORY, keep: true, database: 'pointwise', print })
  return { ...database, secret }
}

/**
 * The database of the embedded mode: that of the server which runs, or, when none does, the kept one, started for as long
 * as it is needed.
 */
export async function openEmbeddedDatabase(
  provider: DatabaseProvider | undefined,
  print: (line: string) => void,
): Promise<DevelopmentDatabase> {
  const running = await runningServer()
  if (running) {
    const description = `the database of the server at ${running.url}`
    return { url: running.databaseUrl, description, location: description, stop: async () => undefined }
  }
  print('No server runs: its database is started, and stopped afterwards.')
  return findDatabase({ provider, directory: DIRECTORY, keep: true, database: 'pointwise', print })
}

/** The server that `server.json` tells of, unless it is gone and could not take the file with it. */
async function runningServer(): Promise<{ url: string; databaseUrl: string } | undefined> {
  try {
    const { url, databaseUrl } = JSON.parse(await readFile(serverFile(), 'utf8'))
    const { ok } = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(RUNNING_WITHIN_MS) })
    return ok && typeof databaseUrl === 'string' ? { url, databaseUrl } : undefined
  } catch {
    return undefined
  }
}

/** Those as whom a visitor of the demonstration may shop. */
export async function demoUsers(db: Reader, signing: Parameters<typeof userToken>[0]): Promise<DemoUser[]> {
  const customers = await users.listFirst(db, DEMO_USERS_MAX)
  return Promise.all(customers.map(async ({ id, name }) => ({ id, name, token: await userToken(signing, id) })))
}

interface Welcome {
  db: Pool
  url: string
  database: DevelopmentDatabase
  signing: Parameters<typeof adminToken>[0]
  /** Whether there is something to see in a browser. */
  pages: boolean
}

/**
 * Fills an empty database with the demonstration, writes `.pointwise/server.json` for `npm run demo` and the audit, and returns what a
 * newcomer should read.
 */
export async function writeServerFileAndBanner({ db, url, database, signing, pages }: Welcome): Promise<string> {
  const filled = await seedIfEmpty(db)
  const [customer] = await users.listFirst(db, 1)
  const user = customer ? await userToken(signing, customer.id) : ''
  const admin = await adminToken(signing)
  const told = { url, databaseUrl: database.url, userToken: user, adminToken: admin }
  await writeFile(serverFile(), JSON.stringify(told, null, 2), { mode: 0o600 })
  return `
Pointwise is open at ${url}

${pages ? `  the shop     ${url} in a browser\n  the API      ${url}/reference in a browser\n` : ''}  database     ${database.description}
  its data     ${database.location}${filled ? ' (new: 3 stores, 500 products, 5 users with points)' : ''}
  user token   ${user}${customer ? `\n               (${customer.name})` : ''}
  admin token  ${admin}

Try it:

  curl -s ${url}/trpc/points.balance -H 'authorization: Bearer ${user}'

or, in a second terminal: npm run demo. Ctrl-C stops the server and its database.
`
}

/** Removes what told others of a running server. */
export async function removeServerFile(): Promise<void> {
  await rm(serverFile(), { force: true })
}

function serverFile(): string {
  return join(DIRECTORY, 'server.json')
}
