import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DATA_DIRECTORY } from './data-directory.ts'
import type { DemoTokens } from './demo-tokens.ts'
import { writeAtomically } from './write-atomically.ts'

const FILE = join(DATA_DIRECTORY, 'server.json')
const LIVENESS_TIMEOUT_MS = 2_000

/** What `.pointwise/server.json` contains while an embedded server is running, for `npm run demo` and the audit. */
export interface ServerFile extends Pick<DemoTokens, 'userToken' | 'adminToken'> {
  url: string
  databaseUrl: string
}

/** Writes `.pointwise/server.json`, readable only by the current user. */
export async function writeServerFile({ url, databaseUrl, userToken, adminToken }: ServerFile): Promise<void> {
  await writeAtomically(FILE, JSON.stringify({ url, databaseUrl, userToken, adminToken }, null, 2))
}

export async function removeServerFile(): Promise<void> {
  await rm(FILE, { force: true })
}

/**
 * Returns the running embedded server, or undefined when none is running. A file that a killed server left behind does
 * not count: the server must answer.
 */
export async function findRunningServer(): Promise<Pick<ServerFile, 'url' | 'databaseUrl'> | undefined> {
  try {
    const { url, databaseUrl } = JSON.parse(await readFile(FILE, 'utf8'))
    const { ok } = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(LIVENESS_TIMEOUT_MS) })
    return ok && typeof databaseUrl === 'string' ? { url, databaseUrl } : undefined
  } catch {
    return undefined
  }
}
