import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPrivately } from '../../db/development/local-provider.ts'
import type { ServerBinary } from '../../db/development/server-binaries.ts'
import { openServerDirectory } from '../../db/development/server-directory.ts'
import { servingSettings } from '../../db/development/server-settings.ts'
import type { SupervisedProcess } from '../../db/development/supervised-process.ts'
import { waitUntilReady } from '../../db/development/wait-until-ready.ts'
import { installedServers } from '../setup/development-database.ts'

export interface KillableDatabase extends AsyncDisposable {
  url: string
  /** Kills the server with SIGKILL, and resolves when it has ended. */
  kill: () => Promise<void>
  /** Starts the server on the same data and port, and resolves when it responds. */
  start: () => Promise<void>
}

/** An installed database server that works, if any. */
export async function databaseProgram(): Promise<ServerBinary | undefined> {
  return (await installedServers())[0]
}

/** A private database server that commits durably and can be killed. */
export async function startKillableDatabase(program: ServerBinary, database: string): Promise<KillableDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'pointwise-killable-'))
  const options = { directory, keep: true, database, print: () => undefined }
  // The first start creates the data directory and selects a free port.
  const first = await startPrivately(program, options)
  await first.stop()
  const port = Number(new URL(first.url).port)
  const home = await openServerDirectory(program, options)
  const datadir = join(home.folder, 'data')
  let server: SupervisedProcess | undefined
  const start = async () => {
    const settings = servingSettings({ kind: program.kind, folder: home.folder, datadir, keep: true }, port)
    server = await home.run([program.file, ...settings], { signal: 'KILL' })
    await waitUntilReady({ host: '127.0.0.1', port }, 60_000)
  }
  const kill = async () => {
    await server?.end()
    server = undefined
  }
  await start()
  return {
    url: first.url,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      await home.close()
      await rm(directory, { recursive: true, force: true, maxRetries: 100 })
    },
  }
}
