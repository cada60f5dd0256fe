import type { ControlledTransaction } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Never throws: the first error is the one that is told, and what was read is true however its transaction ends. The pool
 * destroys a connection that did not end its transaction.
 */
export async function rollbackQuietly(tx: ControlledTransaction<Tables>): Promise<void> {
  await tx
    .rollback()
    .execute()
    .catch(() => undefined)
}
