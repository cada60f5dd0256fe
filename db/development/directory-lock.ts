import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/** How long a database whose owner was killed may take to end, before we call its data held. */
const LEAVING_MS = 40_000

/** How often we look again, because two that claim at the same moment each see the other and withdraw. */
const LOOKS = 5

interface Holder {
  owner: ProcessIdentity
  /** The process that ends the database after its owner, once there is one. */
  guard?: ProcessIdentity | undefined
}

export interface DirectoryLock {
  /** Says which process may still be busy with the data when the owner is dead. */
  guardedBy(pid: number): Promise<void>
  release(): Promise<void>
}

/** Somebody else uses the data. It is no reason to look for another server: the answer would be other data. */
export class DirectoryLockedError extends Error {
  override name = 'DataHeld'
}

/**
 * Claims what `folder` stands for, for this process alone, until it is released or this process is dead. After an owner
 * that was killed it waits until the owner's guard has ended too.
 *
 * Each claimant writes its own record before it looks at the others', so of two at least one sees the other. A record
 * names one life of one process for ever, so a dead one can be deleted by anybody at any time.
 *
 * @throws DataHeld when a living process holds it; `what` begins its message.
 */
export async function lockDirectory(folder: string, what: string, say: (line: string) => void): Promise<DirectoryLock> {
  await mkdir(folder, { recursive: true })
  const owner = await identifyProcess(process.pid)
  if (owner === undefined) throw new Error('This process cannot find itself in the list of processes.')
  const record = join(folder, `${randomUUID()}.json`)
  const write = async (holder: Holder) => {
    await writeFile(`${record}.draft`, JSON.stringify(holder))
    await rename(`${record}.draft`, record)
  }
  const release = () => rm(record, { force: true })
  for (let look = 1; ; look += 1) {
    await write({ owner })
    const holder = await otherHolder(folder, record, say)
    if (holder === undefined) break
    await release()
    if (look === LOOKS) throw held(what, holder)
    await setTimeout(randomInt(5, 50))
  }
  return { guardedBy: async (pid) => write({ owner, guard: await identifyProcess(pid) }), release }
}

/** Whether there was a claim, and neither its owner nor its guard is alive. */
export async function isAbandoned(folder: string): Promise<boolean> {
  const holders = (await records(folder).catch(() => [])).map(({ holder }) => holder)
  for (const life of holders.flatMap(({ owner, guard }) => [owner, guard])) {
    if (life && (await isAlive(life))) return false
  }
  return holders.length > 0
}

async function otherHolder(
  folder: string,
  own: string,
  say: (line: string) => void,
): Promise<ProcessIdentity | undefined> {
  for (const { file, holder } of await records(folder)) {
    if (file === own) continue
    const { owner, guard } = holder
    if (owner && (await isAlive(owner))) return owner
    if (guard && !(await hasLeft(guard, say))) return guard
    await rm(file, { force: true })
  }
  return undefined
}

async function records(folder: string): Promise<{ file: string; holder: Partial<Holder> }[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => join(folder, name))
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => undefined)))
  return files.flatMap((file, index) => {
    const text = texts[index]
    return text === undefined ? [] : [{ file, holder: parse(text) }]
  })
}

// A record is written as a whole, unless the machine lost power: then it names nobody who is still alive.
function parse(text: string): Partial<Holder> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

async function hasLeft(guard: ProcessIdentity, say: (line: string) => void): Promise<boolean> {
  if (await isAlive(guard)) say('Waiting for the database of a process that was killed to end.')
  const deadline = Date.now() + LEAVING_MS
  while (await isAlive(guard)) {
    if (Date.now() > deadline) return false
    await setTimeout(20)
  }
  return true
}

function held(what: string, { pid }: ProcessIdentity): DirectoryLockedError {
  return new DirectoryLockedError(
    `${what} is in use by process ${pid}${pid === process.pid ? ' (this one)' : ''}, and only one at a time can have it. ` +
      `Stop that process (Ctrl-C in its terminal, or kill ${pid}) and start again.`,
  )
}
