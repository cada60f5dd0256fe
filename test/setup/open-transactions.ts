import type { Pool, Tables } from '@pointwise/db'
import type { Kysely } from 'kysely'
import { run } from './database.ts'

/** Slightly more than a tenth of a second. */
const UNREAD_SECONDS = 0.11

/**
 * The current rows of a statement that reads `information_schema.innodb_trx`. InnoDB updates that table only when it has not been
 * read for a tenth of a second, so concurrent readers can keep it outdated. Readers take turns, and each waits that long first.
 */
export function selectOpenTransactions<Row>(db: Pool, statement: string): Promise<Row[]> {
  return (db as unknown as Kysely<Tables>).connection().execute(async (connection) => {
    const [lock] = await run<{ acquired: number }>(connection, "select get_lock('innodb_trx', 10) as acquired")
    if (lock?.acquired !== 1)
      throw new Error('The lock for reading open transactions was not acquired within ten seconds.')
    try {
      await run(connection, `do sleep(${UNREAD_SECONDS})`)
      return await run<Row>(connection, statement)
    } finally {
      await run(connection, "do release_lock('innodb_trx')")
    }
  })
}
