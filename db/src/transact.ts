import { setTimeout as delay } from 'node:timers/promises'
import type { ControlledTransaction, Kysely } from 'kysely'
import type { Db, Tx } from './connection.ts'
import { DatabaseBusy, isDuplicateKey, isRolledBack, isTransient, OutcomeUnknown } from './failures.ts'
import type { Tables } from './tables.ts'

const RETRIES_MAX = 3
const BACKOFF_MS = 20
const BACKOFF_MAX_MS = 200

export interface TransactOptions {
  /** A failure that the caller answers itself, rather than another run. */
  isFinal?: (error: unknown) => boolean
}

const never = () => false

/**
 * Runs `work` in one explicit READ COMMITTED transaction: all of it happens, or nothing.
 *
 * A transient failure (deadlock, lock wait, lost connection before COMMIT) or a duplicate key is answered with a fresh
 * transaction, three times at most, each after a random wait; so `work` may run more than once and must touch nothing
 * but its `tx`. After a duplicate key the next run finds the row that was faster.
 *
 * @throws DatabaseBusy when every attempt failed for a transient reason: nothing happened.
 * @throws OutcomeUnknown when COMMIT failed and may have happened; this is never retried.
 */
export async function transact<T>(
  db: Db,
  work: (tx: Tx) => Promise<T>,
  { isFinal = never }: TransactOptions = {},
): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(db as Kysely<Tables>, work)
    } catch (error) {
      if (error instanceof OutcomeUnknown || isFinal(error) || !(isTransient(error) || isDuplicateKey(error)))
        throw error
      if (retries === RETRIES_MAX) throw isTransient(error) ? new DatabaseBusy(error) : error
      await delay(Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** retries))
    }
  }
}

async function attempt<T>(db: Kysely<Tables>, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await db.startTransaction().execute()
  let value: T
  try {
    value = await work(tx)
  } catch (error) {
    await rollBack(tx)
    throw error
  }
  try {
    await tx.commit().execute()
  } catch (error) {
    await rollBack(tx)
    throw isRolledBack(error) ? error : new OutcomeUnknown(error)
  }
  return value
}

/** Never throws, so that the first error is the one that is told; the pool destroys a connection that did not end its transaction. */
async function rollBack(tx: ControlledTransaction<Tables>): Promise<void> {
  await tx
    .rollback()
    .execute()
    .catch(() => undefined)
}
