import type { Kysely } from 'kysely'
import type { Db } from './connection.ts'
import { leave } from './read-consistently.ts'
import type { Tables } from './tables.ts'

/**
 * Runs `work` on the rows as they stand, those of transactions under way among them: what it finds may be rolled back. For
 * asking whether somebody is about to commit a row, never for what the row says. It takes no lock, and cannot write.
 */
export async function readUncommitted<T>(db: Db, work: (unsettled: Db) => Promise<T>): Promise<T> {
  const unsettled = await (db as Kysely<Tables>)
    .startTransaction()
    .setIsolationLevel('read uncommitted')
    .setAccessMode('read only')
    .execute()
  try {
    return await work(unsettled)
  } finally {
    await leave(unsettled)
  }
}
