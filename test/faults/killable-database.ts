import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { thisMachine } from '../../db/development/host-environment.ts'
import { startPrivately } from '../../db/development/local-provider.ts'
import { findPrograms, type ServerProgram } from '../../db/development/server-binaries.ts'
import { openHome } from '../../db/development/server-directory.ts'
import { servingSettings } from '../../db/development/server-settings.ts'
import type { Leash } from '../../db/development/supervised-process.ts'
import { untilItAnswers } from '../../db/development/wait-until-ready.ts'

export interface MortalDatabase extends AsyncDisposable {
  url: string
  /** Ends it as kill -9 does, and resolves when it has ended. */
  kill: () => Promise<void>
  /** Starts it on the same data and port, and resolves when it answers. */
  start: () => Promise<void>
}

/** A program that can be run privately on this machine, if there is one. */
export async function databaseProgram(): Promise<ServerProgram | undefined> {
  const { usable } = await findPrograms(thisMachine().programFolders)
  return usable[0]
}

/** A database server of the test's own, which commits durably, and can be killed. */
export async function mortalDatabase(program: ServerProgram, database: string): Promise<MortalDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'pointwise-mortal-'))
  const options = { directory, keep: true, database, say: () => undefined }
  // It makes the data folder, and finds a free port.
  const first = await startPrivately(program, options)
  await first.stop()
  const port = Number(new URL(first.url).port)
  const home = await openHome(program, options)
  const datadir = join(home.folder, 'data')
  let server: Leash | undefined
  const start = async () => {
    const settings = servingSettings({ kind: program.kind, home: home.folder, datadir, keep: true }, port)
    server = await home.run([program.file, ...settings], { signal: 'KILL' })
    await untilItAnswers({ host: '127.0.0.1', port }, 60_000)
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
