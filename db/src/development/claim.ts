import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { isAlive, type Life, lifeOf } from './life.ts'

/** How long a database whose owner was killed may take to end, before we call its data held. */
const LEAVING_MS = 40_000

interface Holder {
  owner: Life
  /** The process that ends the database after its owner, once there is one. */
  guard?: Life | undefined
}

export interface Claim {
  /** Says which process may still be busy with the data when the owner is dead. */
  guardedBy(pid: number): Promise<void>
  release(): Promise<void>
}

/** Somebody else uses the data. It is no reason to look for another server: the answer would be other data. */
export class DataHeld extends Error {
  override name = 'DataHeld'
}

/**
 * Claims what `file` stands for, for this process alone, until it is released or this process is dead. After an owner
 * that was killed it waits until the owner's guard has ended too.
 *
 * @throws DataHeld when a living process holds it.
 */
export async function claim(file: string, what: string, say: (line: string) => void): Promise<Claim> {
  const owner = await lifeOf(process.pid)
  if (owner === undefined) throw new Error('This process cannot find itself in the list of processes.')
  const place = async (holder: Holder, put: (from: string, to: string) => Promise<void>) => {
    const draft = `${file}.${randomUUID()}`
    await writeFile(draft, JSON.stringify(holder))
    await put(draft, file).finally(() => rm(draft, { force: true }))
  }
  while (!(await place({ owner }, link).then(() => true, isTaken))) await clear(file, what, say)
  return {
    guardedBy: async (pid) => place({ owner, guard: await lifeOf(pid) }, rename),
    release: () => rm(file, { force: true }),
  }
}

function isTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

async function clear(file: string, what: string, say: (line: string) => void): Promise<void> {
  const record = await readFile(file, 'utf8').catch(() => undefined)
  if (record === undefined) return
  const { owner, guard } = JSON.parse(record) as Holder
  if (await isAlive(owner)) throw held(what, owner)
  if (guard && (await isAlive(guard))) {
    say(`Waiting for the database of process ${owner.pid}, which was killed, to end.`)
    const deadline = Date.now() + LEAVING_MS
    while (await isAlive(guard)) {
      if (Date.now() > deadline) throw held(what, guard)
      await setTimeout(20)
    }
  }
  const aside = `${file}.${randomUUID()}`
  await rename(file, aside).catch(() => undefined)
  // Another process may have cleared and claimed between our reading and our renaming: then it gets its claim back.
  const taken = await readFile(aside, 'utf8').catch(() => record)
  if (taken !== record) await link(aside, file).catch(() => undefined)
  await rm(aside, { force: true })
}

function held(what: string, { pid }: Life): DataHeld {
  return new DataHeld(
    `${what} is in use by process ${pid}${pid === process.pid ? ' (this one)' : ''}, and only one at a time can have it. ` +
      `Stop that process (Ctrl-C in its terminal, or kill ${pid}) and start again.`,
  )
}
