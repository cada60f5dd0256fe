import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { FindOptions } from './development-database.ts'
import { isAbandoned, lockDirectory } from './directory-lock.ts'
import type { ServerBinary } from './server-binaries.ts'
import { temporaryFolder } from './server-settings.ts'
import { type SupervisedProcess, type SuperviseOptions, superviseProcess } from './supervised-process.ts'

const TEMPORARY = 'temporary-'

/** A folder with the data, the log and the temporary files of one server, locked by this process. */
export interface ServerDirectory {
  folder: string
  /**
   * Runs a program that writes to the log. When this process is killed, the next owner waits until the program has
   * exited.
   */
  run: (command: string[], options: Omit<SuperviseOptions, 'output'>) => Promise<SupervisedProcess>
  /** Returns the last ten lines of the log. */
  readLogTail: () => Promise<string>
  /** Releases the lock. Without `keep`, it deletes the folder. */
  close: () => Promise<void>
}

/**
 * Locks the folder for the data of this kind of server or, without `keep`, a new folder. Without `keep`, it also
 * deletes the temporary folders of earlier owners that could not delete them, because the host went down.
 *
 * @throws DirectoryLockedError when another process uses the data.
 */
export async function openServerDirectory(
  { kind }: ServerBinary,
  { directory, keep, print }: FindOptions,
): Promise<ServerDirectory> {
  const parent = resolve(directory)
  await mkdir(parent, { recursive: true })
  if (!keep) await deleteAbandoned(parent)
  const folder = keep ? join(parent, kind) : await mkdtemp(join(parent, TEMPORARY))
  const lock = await lockDirectory(ownersFolder(folder), `The development database in ${folder}`, print)
  await mkdir(temporaryFolder(folder), { recursive: true })
  const file = join(folder, 'server.log')
  await rm(file, { force: true })
  const log = await open(file, 'a+')
  return {
    folder,
    run: async (command, options) => {
      const supervised = superviseProcess(command, { output: log.fd, ...options })
      // Fails when the program has already exited and its supervisor has deleted the folder.
      await lock.setSupervisor(supervised.pid).catch(() => undefined)
      return supervised
    },
    readLogTail: () => readTail(log),
    close: async () => {
      await log.close()
      await lock.release()
      if (!keep) await rm(folder, { recursive: true, force: true })
    },
  }
}

function ownersFolder(folder: string): string {
  return join(folder, 'owners')
}

async function deleteAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (name.startsWith(TEMPORARY) && (await isAbandoned(ownersFolder(folder)))) {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

// By the open file, not by its path: without `keep`, the log is deleted together with the data when the server exits.
async function readTail(log: FileHandle): Promise<string> {
  const { size } = await log.stat()
  const { buffer, bytesRead } = await log.read({
    position: Math.max(0, size - 4_096),
    length: 4_096,
    buffer: Buffer.alloc(4_096),
  })
  return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-10).join('\n')
}
