import type { IsolationLevel } from 'kysely'
import { kyselyOf, type Pool, type Reader } from './handles.ts'
import { rollbackQuietly } from './rollback-quietly.ts'

/**
 * Runs `work` in one REPEATABLE READ, read-only transaction: every read returns the data as of the first read,
 * regardless of what other transactions commit meanwhile. Plain reads take no locks and block no writer. The snapshot
 * occupies one connection until `work` has settled.
 *
 * @throws the error of `work`, or of opening the transaction. Nothing is retried.
 */
export function readSnapshot<T>(pool: Pool, work: (snapshot: Reader) => Promise<T>): Promise<T> {
  return readOnly(pool, 'repeatable read', work)
}

/**
 * Runs `work` in one READ UNCOMMITTED, read-only transaction: its reads include rows of transactions that are not
 * committed and may be rolled back. Use it to find out whether another transaction is about to commit a row, never for
 * the row's content. Plain reads take no locks. `work` occupies one connection until it has settled.
 *
 * @throws the error of `work`, or of opening the transaction. Nothing is retried.
 */
export function readUncommitted<T>(pool: Pool, work: (uncommitted: Reader) => Promise<T>): Promise<T> {
  return readOnly(pool, 'read uncommitted', work)
}

async function readOnly<T>(pool: Pool, level: IsolationLevel, work: (reader: Reader) => Promise<T>): Promise<T> {
  const tx = await kyselyOf(pool).startTransaction().setIsolationLevel(level).setAccessMode('read only').execute()
  try {
    return await work(tx)
  } finally {
    await rollbackQuietly(tx)
  }
}
