import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { FindOptions } from './development-database.ts'
import { isAbandoned, lockDirectory } from './directory-lock.ts'
import type { ServerBinary } from './server-binaries.ts'
import { temporaryFolder } from './server-settings.ts'
import { type SupervisedProcess, type SuperviseOptions, superviseProcess } from './supervised-process.ts'

const TEMPORARY = 'temporary-'

/** Where one server has its data, log and temporary files, claimed for this process. */
export interface ServerDirectory {
  folder: string
  /** Runs a program that writes to the log, and that a later owner waits for when this one is killed. */
  run: (command: string[], options: Omit<SuperviseOptions, 'output'>) => Promise<SupervisedProcess>
  lastLines: () => Promise<string>
  /** Gives the claim back, and deletes everything when it is not to be kept. */
  close: () => Promise<void>
}

/**
 * Opens the home of kept data, one for each kind of server, or a new one that is deleted at the end. Homes that should
 * have been deleted, and were not because the machine went down, are deleted on the way.
 *
 * @throws DataHeld when another process has the kept data.
 */
export async function openServerDirectory(
  { kind }: ServerBinary,
  { directory, keep, print }: FindOptions,
): Promise<ServerDirectory> {
  const parent = resolve(directory)
  await mkdir(parent, { recursive: true })
  if (!keep) await deleteAbandoned(parent)
  const folder = keep ? join(parent, kind) : await mkdtemp(join(parent, TEMPORARY))
  const claimed = await lockDirectory(ownersOf(folder), `The development database in ${folder}`, print)
  await mkdir(temporaryFolder(folder), { recursive: true })
  const file = join(folder, 'server.log')
  await rm(file, { force: true })
  const log = await open(file, 'a+')
  return {
    folder,
    run: async (command, options) => {
      const leashed = superviseProcess(command, { output: log.fd, ...options })
      // The program may already have failed, and its home be deleted.
      await claimed.guardedBy(leashed.pid).catch(() => undefined)
      return leashed
    },
    lastLines: () => tail(log),
    close: async () => {
      await log.close()
      await claimed.release()
      if (!keep) await rm(folder, { recursive: true, force: true })
    },
  }
}

function ownersOf(home: string): string {
  return join(home, 'owners')
}

async function deleteAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (name.startsWith(TEMPORARY) && (await isAbandoned(ownersOf(folder)))) {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

// By the open file, not by its name: data that is not kept is deleted, log and all, when the server ends.
async function tail(log: FileHandle): Promise<string> {
  const { size } = await log.stat()
  const { buffer, bytesRead } = await log.read({
    position: Math.max(0, size - 4_096),
    length: 4_096,
    buffer: Buffer.alloc(4_096),
  })
  return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-10).join('\n')
}
