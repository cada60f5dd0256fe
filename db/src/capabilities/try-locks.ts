import { randomInt, randomUUID } from 'node:crypto'
import type { Compilable, Kysely } from 'kysely'
import { isLockWait } from '../errors.ts'
import { executeBatch } from '../execute-batch.ts'
import type { Tx } from '../handles.ts'
import type { Tables } from '../tables.ts'
import type { CapabilityFailure } from './capability.ts'
import { createReserved, lockCursors, lockFirst, RESERVED, readFirst, writeFirst } from './reserved-rows.ts'
import { firstTrialId, insertUser, written } from './trial-rows.ts'
import { inTwoTransactions } from './two-transactions.ts'
import { waitForLock } from './wait-for-lock.ts'

interface LockingStatement extends Compilable<unknown> {
  skipLocked(): Compilable<unknown>
}

/** The statements with which the server locks rows. */
export interface LockingStatements {
  orders: (tx: Tx, orderIds: number[]) => LockingStatement
  wallets: (tx: Tx, userIds: number[]) => LockingStatement
  stock: (tx: Tx, productIds: number[]) => LockingStatement
}

/** How long a lock is held for a statement that has to wait for it: at first, and at most. */
const HOLD_SECONDS = 0.01
const HOLD_SECONDS_MAX = 0.64

const failure = (capability: CapabilityFailure['capability'], found: string): CapabilityFailure => ({
  capability,
  found,
})

/** Tries SKIP LOCKED on the reserved rows. */
async function trySkipLocked(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  const [first, second] = RESERVED
  return inTwoTransactions(db, async (holder, other) => {
    await lockFirst(holder)
    const acquired = await skipLocked(other, RESERVED)
    const again = await skipLocked(holder, [second])
    if (!acquired || !again) return [failure('skipLocked', waitedToSkip('outbox_cursors'))]
    return [
      ...(acquired.includes(first)
        ? [failure('skipLocked', `${SKIP_LOCKED} returned a row that another session had locked with FOR UPDATE.`)]
        : []),
      ...(acquired.includes(second)
        ? []
        : [failure('skipLocked', `${SKIP_LOCKED} did not return a row that no session had locked.`)]),
      ...(again.includes(second)
        ? [failure('skipLocked', `${SKIP_LOCKED} did not lock the row that it returned.`)]
        : []),
    ]
  })
}

/** Locks rows of `outbox_cursors`. Returns their names, or undefined if the statement waited for a locked row. */
async function skipLocked(tx: Tx, names: readonly string[]): Promise<string[] | undefined> {
  const rows = await unlessWaiting(lockCursors(tx, names).skipLocked().execute())
  return rows?.map(({ name }) => name)
}

/** Whether a statement with SKIP LOCKED does not wait. */
async function skips(tx: Tx, { lock }: Trial, id: number): Promise<boolean> {
  const rows = await unlessWaiting(executeBatch(tx, { rows: lock(tx, [id]).skipLocked() }))
  return rows !== undefined
}

function unlessWaiting<T>(result: Promise<T>): Promise<T | undefined> {
  return result.catch((error: unknown) => {
    if (isLockWait(error)) return undefined
    throw error
  })
}

/** Tries on a reserved row that FOR UPDATE waits for FOR UPDATE. */
async function tryForUpdate(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  const hasWaited = await measure((holdSeconds) =>
    inTwoTransactions(db, async (holder, waiter) => {
      await lockFirst(holder)
      const release = () => holder.rollback().execute()
      return waitForLock({ holder, release, waiter, statement: lockCursors(waiter, [RESERVED[0]]), holdSeconds })
    }),
  )
  return hasWaited ? [] : [failure('lockingReads', notWaiting('outbox_cursors'))]
}

/** Tries on a reserved row that ROLLBACK undoes a change. */
async function tryRollback(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  // A committed epoch is not negative, and other servers write other numbers.
  const rolledBack = -randomInt(1, 2 ** 47)
  return inTwoTransactions(db, async (writer, reader) => {
    await writeFirst(writer, rolledBack)
    await writer.rollback().execute()
    return (await lockFirst(reader)) === rolledBack
      ? [failure('transactions', 'ROLLBACK did not undo an UPDATE of `outbox_cursors`.')]
      : []
  })
}

/** Tries on a reserved row that reads return what is committed. A higher epoch than expected is that of another server that starts. */
async function tryReads(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  return inTwoTransactions(db, async (writer, reader) => {
    const epoch = await lockFirst(writer)
    // Under REPEATABLE READ, every later read would return what this one does.
    await readFirst(reader)
    await writeFirst(writer, epoch + 1)
    const uncommitted = await readFirst(reader)
    await writer.commit().execute()
    const committed = await readFirst(reader)
    return [
      ...(uncommitted === epoch
        ? []
        : [failure('readCommitted', 'A transaction read a change that another session had not committed.')]),
      ...(committed > epoch
        ? []
        : [failure('readCommitted', 'A transaction did not read a change that another session had committed.')]),
    ]
  })
}

/**
 * Tries locks, reads and ROLLBACK on rows of `outbox_cursors` that are reserved for it. SKIP LOCKED is tried only if FOR UPDATE locks
 * rows.
 */
export async function tryReservedRows(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  await createReserved(db)
  const rollback = await tryRollback(db)
  // The rows of later parts would remain.
  if (rollback.length > 0) return rollback
  const forUpdate = await tryForUpdate(db)
  return [...forUpdate, ...(forUpdate.length > 0 ? [] : await trySkipLocked(db)), ...(await tryReads(db))]
}

const SKIP_LOCKED = 'SELECT … FOR UPDATE SKIP LOCKED'
const waitedToSkip = (table: string) => `${SKIP_LOCKED} of \`${table}\` waited for a locked row.`
const notWaiting = (table: string) =>
  `SELECT … FOR UPDATE of \`${table}\` did not wait for a row that another session had locked.`

/** Repeats an observation that the load of the server has made impossible, each time holding the lock for twice as long. */
async function measure<T>(observe: (holdSeconds: number) => Promise<T | undefined>): Promise<T> {
  for (let holdSeconds = HOLD_SECONDS; holdSeconds <= HOLD_SECONDS_MAX; holdSeconds *= 2) {
    const observed = await observe(holdSeconds)
    if (observed !== undefined) return observed
  }
  throw new Error(
    `The database server did not begin a statement while another session held a lock for ${HOLD_SECONDS_MAX} seconds. ` +
      'Start again when it has less load.',
  )
}

/** Tries the statements with which the server locks rows, on rows that another session has inserted and not committed. */
export async function tryStatements(
  db: Kysely<Tables>,
  { wallets, stock, orders }: LockingStatements,
): Promise<CapabilityFailure[]> {
  const wallet = (id: number) => `insert into points (id, user_id, point) values (${id}, ${id}, 0)`
  const stockRow = (id: number) => `insert into stock (id, product_id, stock) values (${id}, ${id}, 0)`
  const order = (id: number) =>
    `insert into orders (id, user_id, status, total_price, idempotency_key) values (${id}, ${id}, 'pending', 0, '${randomUUID()}')`
  const failures = [
    ...(await tryStatement(db, { table: 'points', rows: (id) => [insertUser(id), wallet(id)], lock: wallets })),
    ...(await tryStatement(db, { table: 'stock', rows: (id) => [stockRow(id)], lock: stock })),
    ...(await tryStatement(db, { table: 'orders', rows: (id) => [insertUser(id), order(id)], lock: orders })),
  ]
  const isDoubtful = failures.some(({ capability }) => capability === 'lockingReads')
  return isDoubtful && !(await locksUncommittedRows(db))
    ? failures.filter(({ capability }) => capability !== 'lockingReads')
    : failures
}

interface Trial {
  table: string
  /** Statements that insert a row with this id. */
  rows: (id: number) => string[]
  lock: (tx: Tx, ids: number[]) => LockingStatement
}

async function tryStatement(db: Kysely<Tables>, trial: Trial): Promise<CapabilityFailure[]> {
  const { table, rows, lock } = trial
  let hasSkipped = true
  const hasWaited = await measure((holdSeconds) =>
    inTwoTransactions(db, async (holder, waiter) => {
      const id = firstTrialId()
      await lockFirst(holder)
      await executeBatch(holder, Object.fromEntries(rows(id).map((row, index) => [index, written(row)])))
      hasSkipped &&= await skips(waiter, trial, id)
      const release = () => holder.rollback().execute()
      return waitForLock({ holder, release, waiter, statement: lock(waiter, [id]), holdSeconds })
    }),
  )
  return [
    ...(hasSkipped ? [] : [failure('skipLocked', waitedToSkip(table))]),
    ...(hasWaited ? [] : [failure('lockingReads', notWaiting(table))]),
  ]
}

/** Whether a locking read waits for a row that is not committed. An engine may lock only committed rows, which is enough. */
async function locksUncommittedRows(db: Kysely<Tables>): Promise<boolean> {
  const name = `start-check:${randomUUID()}`
  return measure((holdSeconds) =>
    inTwoTransactions(db, async (holder, waiter) => {
      await lockFirst(holder)
      await holder.insertInto('outbox_cursors').values({ name, position: 0 }).execute()
      const release = () => holder.rollback().execute()
      return waitForLock({ holder, release, waiter, statement: lockCursors(waiter, [name]), holdSeconds })
    }),
  )
}
