import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/** How long the database server of a killed owner may take to exit before its data counts as in use. */
const SHUTDOWN_TIMEOUT_MS = 40_000

/**
 * More than one attempt, because two processes that write their records at the same moment both see the other's and
 * withdraw.
 */
const ATTEMPTS_MAX = 5

interface Holder {
  owner: ProcessIdentity
  /** The process that stops the database server after its owner has exited, once it is started. */
  supervisor?: ProcessIdentity | undefined
}

export interface DirectoryLock {
  /** Records the process that may still use the data after the owner has exited. */
  setSupervisor(pid: number): Promise<void>
  release(): Promise<void>
}

/** Another process uses the data. Another provider is no alternative, because it has other data. */
export class DirectoryLockedError extends Error {
  override name = 'DirectoryLockedError'
}

/**
 * Acquires the lock whose records are stored in `folder`. This process holds it until `release` is called or the
 * process has exited. When the previous owner was killed, it waits up to 40 seconds until the owner's supervisor has
 * exited, too.
 *
 * Each process writes its own record before it reads the others', so of two concurrent processes at least one sees the
 * other. A record identifies one process for all time, so any process can delete the record of a process that has
 * exited.
 *
 * @throws DirectoryLockedError when a running process holds the lock. `resource` is the subject of its message.
 */
export async function lockDirectory(
  folder: string,
  resource: string,
  print: (line: string) => void,
): Promise<DirectoryLock> {
  await mkdir(folder, { recursive: true })
  const owner = await identifyProcess(process.pid)
  if (owner === undefined) {
    throw new Error(
      `The start time of process ${process.pid} (this process) could not be read. ` +
        'Expected it in /proc on Linux, or from ps on other systems. Mount /proc or install ps.',
    )
  }
  const record = join(folder, `${randomUUID()}.json`)
  const write = async (holder: Holder) => {
    await writeFile(`${record}.draft`, JSON.stringify(holder))
    await rename(`${record}.draft`, record)
  }
  const release = () => rm(record, { force: true })
  for (let attempt = 1; ; attempt += 1) {
    await write({ owner })
    const holder = await findOtherHolder(folder, record, print)
    if (holder === undefined) break
    await release()
    if (attempt === ATTEMPTS_MAX) throw lockedError(resource, holder)
    await setTimeout(randomInt(5, 50))
  }
  return { setSupervisor: async (pid) => write({ owner, supervisor: await identifyProcess(pid) }), release }
}

/** Whether the lock was acquired and not released, and neither its owner nor its supervisor is running. */
export async function isAbandoned(folder: string): Promise<boolean> {
  const holders = (await readRecords(folder).catch(() => [])).map(({ holder }) => holder)
  for (const identity of holders.flatMap(({ owner, supervisor }) => [owner, supervisor])) {
    if (identity && (await isAlive(identity))) return false
  }
  return holders.length > 0
}

async function findOtherHolder(
  folder: string,
  ownRecord: string,
  print: (line: string) => void,
): Promise<ProcessIdentity | undefined> {
  for (const { file, holder } of await readRecords(folder)) {
    if (file === ownRecord) continue
    const { owner, supervisor } = holder
    if (owner && (await isAlive(owner))) return owner
    if (supervisor && !(await waitForExit(supervisor, print))) return supervisor
    await rm(file, { force: true })
  }
  return undefined
}

async function readRecords(folder: string): Promise<{ file: string; holder: Partial<Holder> }[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => join(folder, name))
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => undefined)))
  return files.flatMap((file, index) => {
    const text = texts[index]
    return text === undefined ? [] : [{ file, holder: parse(text) }]
  })
}

// Records are written atomically. Only a power failure leaves an incomplete one, and then its owner is not running.
function parse(text: string): Partial<Holder> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Whether the supervisor exits before the timeout. */
async function waitForExit(supervisor: ProcessIdentity, print: (line: string) => void): Promise<boolean> {
  if (await isAlive(supervisor)) print('Waiting for the database server of a killed process to exit.')
  const deadline = Date.now() + SHUTDOWN_TIMEOUT_MS
  while (await isAlive(supervisor)) {
    if (Date.now() > deadline) return false
    await setTimeout(20)
  }
  return true
}

function lockedError(resource: string, { pid }: ProcessIdentity): DirectoryLockedError {
  return new DirectoryLockedError(
    `${resource} is in use by process ${pid}${pid === process.pid ? ' (this process)' : ''}. ` +
      'Only one process can use it at a time. ' +
      `Stop that process (Ctrl-C in its terminal, or kill ${pid}), then start again.`,
  )
}
