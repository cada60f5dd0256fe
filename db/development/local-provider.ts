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

const READY_TIMEOUT_MS = 60_000
const ATTEMPTS_MAX = 3

/** Another process took the port after it was found free and before the server bound it. */
class PortInUseError extends Error {}

/**
 * Runs a server for this process only, and resolves when it accepts connections: on a free port of 127.0.0.1, with its
 * data in `options.directory`, without a system service or an option file. The server exits when `stop` is called and
 * soon after this process has exited, for whatever reason. Without `keep`, its data is deleted then.
 *
 * @throws DirectoryLockedError when another process uses the data.
 * @throws Error with the last lines of the server's log when the server cannot be started.
 */
export async function startPrivately(binary: ServerBinary, options: FindOptions): Promise<DevelopmentDatabase> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(binary, options)
    } catch (error) {
      if (!(error instanceof PortInUseError) || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

async function start(binary: ServerBinary, options: FindOptions): Promise<DevelopmentDatabase> {
  const { keep, database, settings = [] } = options
  const { kind, file, version } = binary
  const { folder, run, readLogTail, close } = await openServerDirectory(binary, options)
  const datadir = join(folder, 'data')
  let server: SupervisedProcess | undefined
  const stop = async () => {
    await server?.end()
    await close()
  }
  try {
    if (!existsSync(datadir)) {
      if (keep) options.print(`Creating a new ${kind} data directory in ${folder}.`)
      await initializeDatadir({ binary, folder, datadir, keep, run })
    }
    const port = await findFreePort()
    server = await run([file, ...servingSettings({ kind, folder, datadir, keep }, port), ...settings], {
      signal: keep ? 'TERM' : 'KILL',
      ...(!keep && { remove: { path: folder, when: 'always' } }),
    })
    await waitUntilServing(server, port, datadir)
    server.unref()
    let stopped: Promise<void> | undefined
    return {
      url: `mysql://root@127.0.0.1:${port}/${database}`,
      description: `private ${basename(file)} ${version} on port ${port}`,
      location: keep ? folder : `${folder}, deleted when the server stops`,
      stop: () => {
        stopped ??= stop()
        return stopped
      },
    }
  } catch (error) {
    const log = await readLogTail()
    await stop()
    const message = `${(error as Error).message}\nLast lines of its log:\n${log}`
    if (error instanceof PortInUseError || /address already in use/i.test(log)) throw new PortInUseError(message)
    throw new Error(message)
  }
}

async function waitUntilServing(server: SupervisedProcess, port: number, datadir: string): Promise<void> {
  const exit = new AbortController()
  server.ended.then(
    (status) => exit.abort(new Error(`The server exited with status ${status} before it accepted connections.`)),
    (error) => exit.abort(error),
  )
  const info = await waitUntilReady({ host: '127.0.0.1', port }, READY_TIMEOUT_MS, exit.signal)
  const servedDatadir = await realpath(info.datadir).catch(() => info.datadir)
  if (servedDatadir !== (await realpath(datadir))) throw new PortInUseError(`Another server listens on port ${port}.`)
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
