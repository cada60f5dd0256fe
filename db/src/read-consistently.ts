import type { ControlledTransaction, Kysely } from 'kysely'
import type { Db } from './connection.ts'
import type { Tables } from './tables.ts'

/**
 * Runs `work` on one snapshot: everything it reads is as it was at its first read, whatever others commit meanwhile.
 * It takes no lock, holds nobody up, and cannot write. The snapshot is kept for as long as `work` takes, on one connection.
 *
 * Nothing is retried: a failure is passed on, and the connection that comes back to the pool is as it was.
 */
export async function readConsistently<T>(db: Db, work: (snapshot: Db) => Promise<T>): Promise<T> {
  const snapshot = await (db as Kysely<Tables>)
    .startTransaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute()
  try {
    return await work(snapshot)
  } finally {
    await leave(snapshot)
  }
}

/** Never throws: what was read is true however the transaction ends, and the pool destroys a connection that did not end it. */
export async function leave(transaction: ControlledTransaction<Tables>): Promise<void> {
  await transaction
    .rollback()
    .execute()
    .catch(() => undefined)
}
