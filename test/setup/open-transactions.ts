import type { Pool, Tables } from '@pointwise/db'
import type { Kysely } from 'kysely'
import { run } from './database.ts'

/** A tenth of a second, and a little. */
const UNREAD_SECONDS = 0.11

/**
 * The rows of a statement that reads `information_schema.innodb_trx`, as it is now. InnoDB brings that table up to date when
 * nobody has read it for a tenth of a second: two who look now and then can keep it old for each other, for ever. So they
 * look one after the other, and each waits that long.
 */
export function selectOpenTransactions<Row>(db: Pool, statement: string): Promise<Row[]> {
  return (db as unknown as Kysely<Tables>).connection().execute(async (connection) => {
    const [lock] = await run<{ had: number }>(connection, "select get_lock('innodb_trx', 10) as had")
    if (lock?.had !== 1) throw new Error('Others have looked at the transactions for ten seconds.')
    try {
      await run(connection, `do sleep(${UNREAD_SECONDS})`)
      return await run<Row>(connection, statement)
    } finally {
      await run(connection, "do release_lock('innodb_trx')")
    }
  })
}
