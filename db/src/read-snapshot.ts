import type { IsolationLevel } from 'kysely'
import { kyselyOf, type Pool, type Reader } from './handles.ts'
import { rollbackQuietly } from './rollback-quietly.ts'

/**
 * Runs `work` on one snapshot: everything it reads is as it was at its first read, whatever others commit meanwhile.
 * It takes no lock, holds nobody up, and cannot write. The snapshot is kept for as long as `work` takes, on one connection.
 *
 * Nothing is retried: a failure is passed on, and the connection that comes back to the pool is as it was.
 */
export function readSnapshot<T>(pool: Pool, work: (snapshot: Reader) => Promise<T>): Promise<T> {
  return readOnly(pool, 'repeatable read', work)
}

/**
 * Runs `work` on the rows as they stand, those of transactions under way among them: what it finds may be rolled back. For
 * asking whether somebody is about to commit a row, never for what the row says. It takes no lock, and cannot write.
 */
export function readUncommitted<T>(pool: Pool, work: (unsettled: Reader) => Promise<T>): Promise<T> {
  return readOnly(pool, 'read uncommitted', work)
}

async function readOnly<T>(pool: Pool, level: IsolationLevel, work: (read: Reader) => Promise<T>): Promise<T> {
  const tx = await kyselyOf(pool).startTransaction().setIsolationLevel(level).setAccessMode('read only').execute()
  try {
    return await work(tx)
  } finally {
    await rollbackQuietly(tx)
  }
}
