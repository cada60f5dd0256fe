import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDatabase } from '@pointwise/db/development'

/** A database server of its own, for a test that changes its global settings or its accounts. */
export async function startPrivateServer(): Promise<AsyncDisposable & { url: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'pointwise-private-'))
  const server = await findDatabase({
    provider: 'local',
    directory,
    keep: false,
    database: 'shop',
    print: () => undefined,
  })
  return {
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
