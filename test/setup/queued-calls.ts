import type { Pool } from '@pointwise/db'
import { holdLocks } from './database.ts'
import { eventually } from './eventually.ts'
import { selectOpenTransactions } from './open-transactions.ts'
import { runConcurrently } from './refusals.ts'
import type { Shop } from './shop.ts'

/**
 * Makes calls each of which needs a row that somebody else keeps locked, and lets go of it once they all wait: they then
 * have it one after the other. Tells what came of each.
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

/** How many transactions on this database wait for a lock. */
async function lockWaits(db: Pool): Promise<number> {
  const waiting = await selectOpenTransactions(
    db,
    `select trx_id from information_schema.innodb_trx join information_schema.processlist
    on id = trx_mysql_thread_id where trx_state = 'LOCK WAIT' and db = database()`,
  )
  return waiting.length
}
