import { connect, type Pool } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { acquireLease, LeaseLostError } from '../../server/src/relay/lease.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { type CursorRow, readCursor } from './outbox-rows.ts'

const name = 'kafka:suspended-process'

/** The statements that the pool sends on its own account. */
const isOfPool = (statement: string) => /^(commit and no chain|use|set|do get_lock|kill) /.test(statement)

/** Acquires the lease, moves the cursor, and releases the lease. */
async function useLease(db: Pool): Promise<void> {
  const lease = await acquireLease(db, { name, owner: 'suspended' })
  if (!lease) return
  try {
    await lease.advance(lease.position + 1)
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error
  }
  await lease.release()
}

interface SuspendOptions {
  url: string
  db: Pool
  /** The process is suspended before its statement with this number, counted from 0. */
  before: number
  /** Whether the next holder releases the lease before the process continues. */
  isReleased: boolean
}

/**
 * Suspends a process that uses the lease, lets another one acquire it, and returns the cursor before and after the first one
 * has continued; undefined if it sends fewer statements.
 */
async function suspend({ url, db, before, isReleased }: SuspendOptions): Promise<[CursorRow, CursorRow] | undefined> {
  await run(db, `delete from outbox_cursors where name = '${name}'`)
  await using proxy = await faultProxy(url)
  const suspended = connect(proxy.url)
  const resumed = Promise.withResolvers<void>()
  let sent = 0
  const held = proxy.inject({ until: resumed.promise }, (statement) => !isOfPool(statement) && sent++ === before)
  let isFinished = false
  const work = useLease(suspended).finally(() => {
    isFinished = true
  })
  try {
    await eventually(() => isFinished || held() === 1).toBe(true)
    if (isFinished) return undefined
    // The lease expires, because it is not renewed.
    await run(db, `update outbox_cursors set lease_expires_at = null where name = '${name}'`)
    const next = await acquireLease(db, { name, owner: 'next' })
    expect(await readCursor(db, name)).toEqual({ owner: 'next', position: next?.position, epoch: next?.epoch })
    if (isReleased) await next?.release()
    const taken = await readCursor(db, name)
    resumed.resolve()
    await work
    const after = await readCursor(db, name)
    await next?.release()
    return taken && after && [taken, after]
  } finally {
    resumed.resolve()
    await work
    await suspended.destroy()
  }
}

/** The results of a process that is suspended before each of its statements. */
async function suspendBeforeEach(isReleased: boolean): Promise<[CursorRow, CursorRow][]> {
  const { url, db } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  const results: [CursorRow, CursorRow][] = []
  for (;;) {
    const result = await suspend({ url, db, before: results.length, isReleased })
    if (!result) break
    results.push(result)
  }
  // Creating the cursor, acquiring, moving and releasing.
  expect(results.length).toBeGreaterThanOrEqual(7)
  return results
}

test('a process that is suspended before any of its statements does not block the next holder, and changes nothing afterwards', async () => {
  for (const [taken, after] of await suspendBeforeEach(false)) expect(after).toEqual(taken)
})

test('a process that was suspended while another one held the lease acquires it only with a higher epoch', async () => {
  for (const [taken, after] of await suspendBeforeEach(true)) {
    expect(after.epoch - taken.epoch).toBeGreaterThanOrEqual(0)
    expect(after.position - taken.position).toBe(after.epoch - taken.epoch)
  }
})
