import type { Pool } from '@pointwise/db'
import { holdLocks } from './database.ts'
import { eventually } from './eventually.ts'
import { selectOpenTransactions } from './open-transactions.ts'
import { runConcurrently } from './refusals.ts'
import type { Shop } from './shop.ts'

/**
 * Makes calls that each need a row which another transaction keeps locked, and releases the row when all of them wait. They then
 * acquire it one after the other. Returns the outcome of each.
 */
export async function runInLockQueue(shop: Shop, lockedRow: string, calls: (() => Promise<unknown>)[]) {
  const outcomes: ReturnType<typeof runConcurrently<unknown>>[] = []
  {
    await using _ = await holdLocks(shop.databaseUrl, `select * from ${lockedRow} for update`)
    for (const call of calls) {
      outcomes.push(runConcurrently([call]))
      await eventually(() => lockWaits(shop.db)).toBe(outcomes.length)
    }
  }
  return Promise.all(outcomes)
}

/** The number of transactions of this database that wait for a lock. */
export async function lockWaits(db: Pool): Promise<number> {
  const waiting = await selectOpenTransactions(
    db,
    `select trx_id from information_schema.innodb_trx join information_schema.processlist
    on id = trx_mysql_thread_id where trx_state = 'LOCK WAIT' and db = database()`,
  )
  return waiting.length
}
