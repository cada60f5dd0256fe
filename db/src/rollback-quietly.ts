import type { ControlledTransaction } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Rolls back and never throws. A failed rollback must not replace the error that caused it, and does not affect what a
 * read-only transaction has read. The pool destroys a connection whose transaction did not end.
 */
export async function rollbackQuietly(tx: ControlledTransaction<Tables>): Promise<void> {
  await tx
    .rollback()
    .execute()
    .catch(() => undefined)
}
