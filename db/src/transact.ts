import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import {
  AcquireTimeoutError,
  CommitUnknownError,
  DatabaseBusyError,
  errorCode,
  isDuplicateKey,
  isRolledBack,
  isTransient,
} from './errors.ts'
import { kyselyOf, type Pool, type Tx } from './handles.ts'
import { rollbackQuietly } from './rollback-quietly.ts'
import type { Tables } from './tables.ts'

const RETRIES_MAX = 3
const BACKOFF_MS = 20
const BACKOFF_MAX_MS = 200
/** No retry begins later, because whoever calls has a clock of their own. */
const RETRY_WITHIN_MS = 5_000

/** An attempt that failed for a reason that may pass, or whose outcome is not known. */
export interface FailedAttempt {
  /** The database's number, the driver's code, or the name of the error. */
  reason: string | number
  /** Whether another attempt follows. */
  isRetried: boolean
}

export interface TransactOptions {
  /** A failure that the caller answers itself, rather than another run. */
  isNonRetryable?: (error: unknown) => boolean
  /** Told of each attempt that failed, for logs and metrics. */
  onFailedAttempt?: ((failed: FailedAttempt) => void) | undefined
}

const never = () => false
const tellNobody = () => undefined

/**
 * Runs `work` in one explicit READ COMMITTED transaction: all of it happens, or nothing.
 *
 * A transient failure (deadlock, lock wait, lost connection before COMMIT) or a duplicate key is answered with a fresh
 * transaction, three times at most, each after a random wait; so `work` may run more than once and must touch nothing
 * but its `tx`. After a duplicate key the next run finds the row that was faster. Who waited for a connection in vain is
 * not made to wait again, and nobody after five seconds.
 *
 * @throws DatabaseBusy when the last attempt failed for a transient reason: nothing happened.
 * @throws the database's own error when the last attempt met a duplicate key: nothing happened, and no run can find the row.
 * @throws OutcomeUnknown when COMMIT failed and may have happened; this is never retried.
 */
export async function transact<T>(
  pool: Pool,
  work: (tx: Tx) => Promise<T>,
  { isNonRetryable = never, onFailedAttempt = tellNobody }: TransactOptions = {},
): Promise<T> {
  const startedAt = performance.now()
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(kyselyOf(pool), work)
    } catch (error) {
      const isUnknown = error instanceof CommitUnknownError
      if (isNonRetryable(error) || !(isUnknown || isTransient(error) || isDuplicateKey(error))) throw error
      const isRetried =
        !isUnknown &&
        !(error instanceof AcquireTimeoutError) &&
        retries < RETRIES_MAX &&
        performance.now() - startedAt < RETRY_WITHIN_MS
      onFailedAttempt({ reason: errorCode(error), isRetried })
      if (!isRetried) throw isTransient(error) ? new DatabaseBusyError(error) : error
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
    await rollbackQuietly(tx)
    throw error
  }
  try {
    await tx.commit().execute()
  } catch (error) {
    await rollbackQuietly(tx)
    throw isRolledBack(error) ? error : new CommitUnknownError(error)
  }
  return value
}
