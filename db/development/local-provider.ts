import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import type { DevelopmentDatabase, FindOptions } from './development-database.ts'
import { initializeDatadir } from './initialize-datadir.ts'
import type { ServerBinary } from './server-binaries.ts'
import { openServerDirectory } from './server-directory.ts'
import { servingSettings } from './server-settings.ts'
import type { SupervisedProcess } from './supervised-process.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const READY_WITHIN_MS = 60_000

/** Somebody took the port between our finding it free and the server's binding it. */
class PortTaken extends Error {}

/**
 * Runs a server for this process alone: on a free port of 127.0.0.1, with data under the directory, without system
 * service or option file. It has ended, and data that is not kept is deleted, when `stop` resolves or soon after this
 * process died.
 *
 * @throws DataHeld when another process has the kept data, and Error with the log's last lines when the server fails.
 */
export async function startPrivately(program: ServerBinary, options: FindOptions): Promise<DevelopmentDatabase> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(program, options)
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === 3) throw error
    }
  }
}

async function start(program: ServerBinary, options: FindOptions): Promise<DevelopmentDatabase> {
  const { keep, database } = options
  const home = await openServerDirectory(program, options)
  const datadir = join(home.folder, 'data')
  let server: SupervisedProcess | undefined
  const close = async () => {
    await server?.end()
    await home.close()
  }
  try {
    if (!existsSync(datadir)) {
      if (keep) options.print(`Making a new ${program.kind} data folder in ${home.folder}.`)
      await initializeDatadir({ program, home: home.folder, datadir, keep, run: home.run })
    }
    const port = await freePort()
    const settings = servingSettings({ kind: program.kind, home: home.folder, datadir, keep }, port)
    server = await home.run([program.file, ...settings], {
      signal: keep ? 'TERM' : 'KILL',
      ...(!keep && { remove: { path: home.folder, when: 'always' } }),
    })
    await untilItServes(server, port, datadir)
    server.unref()
    let closed: Promise<void> | undefined
    return {
      url: `mysql://root@127.0.0.1:${port}/${database}`,
      description: `${basename(program.file)} ${program.version}, run privately on port ${port}`,
      location: keep ? home.folder : `${home.folder}, deleted at the end`,
      stop: () => {
        closed ??= close()
        return closed
      },
    }
  } catch (error) {
    const log = await home.lastLines()
    await close()
    if (error instanceof PortTaken || /address already in use/i.test(log)) throw new PortTaken(`${error}\n${log}`)
    throw new Error(`${(error as Error).message}. Its last lines:\n${log}`)
  }
}

async function untilItServes(server: SupervisedProcess, port: number, datadir: string): Promise<void> {
  const over = new AbortController()
  server.ended.then(
    (status) => over.abort(new Error(`it ended with exit status ${status} before it answered`)),
    (error) => over.abort(error),
  )
  const answer = await waitUntilReady({ host: '127.0.0.1', port }, READY_WITHIN_MS, over.signal)
  const theirs = await realpath(answer.datadir).catch(() => answer.datadir)
  if (theirs !== (await realpath(datadir))) throw new PortTaken(`another server answers on port ${port}`)
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
