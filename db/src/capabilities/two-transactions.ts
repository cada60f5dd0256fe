import type { ControlledTransaction, Kysely } from 'kysely'
import { rollbackQuietly } from '../rollback-quietly.ts'
import type { Tables } from '../tables.ts'

export type OpenTransaction = ControlledTransaction<Tables>

/** Runs `work` in two transactions at once, each on a connection of its own, and rolls back what `work` has not ended. */
export async function inTwoTransactions<T>(
  db: Kysely<Tables>,
  work: (first: OpenTransaction, second: OpenTransaction) => Promise<T>,
): Promise<T> {
  const first = await db.startTransaction().execute()
  let second: OpenTransaction | undefined
  try {
    second = await db.startTransaction().execute()
    return await work(first, second)
  } finally {
    // Both at once: a statement of one may wait for a lock of the other.
    await Promise.all([rollbackOpen(first), second && rollbackOpen(second)])
  }
}

async function rollbackOpen(tx: OpenTransaction): Promise<void> {
  if (!tx.isCommitted && !tx.isRolledBack) await rollbackQuietly(tx)
}
