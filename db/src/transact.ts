import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { type Deadline, DeadlineExceededError } from './deadline.ts'
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
/** No retry starts later than this after the first attempt, because callers have timeouts of their own. */
const RETRY_WITHIN_MS = 5_000

/** An attempt that failed for a transient reason, met a duplicate key, or has an unknown outcome. */
export interface FailedAttempt {
  /** The database's errno, the driver's code, or the error's name. */
  reason: string | number
  /** Whether another attempt follows. */
  isRetried: boolean
}

export interface TransactOptions {
  /** No attempt begins, and no COMMIT is sent, after this time. */
  deadline?: Deadline | undefined
  /** Returns true for an error that is rethrown immediately instead of retried. */
  isNonRetryable?: (error: unknown) => boolean
  /** Called after each failed attempt, for logs and metrics. */
  onFailedAttempt?: ((failed: FailedAttempt) => void) | undefined
}

const never = () => false
const noop = () => undefined

/**
 * Runs `work` in one explicit READ COMMITTED transaction, commits it and returns the value of `work`. When `work`
 * throws, the transaction is rolled back.
 *
 * After a transient failure (such as a deadlock, a lock wait timeout, or a connection lost before COMMIT) or a
 * duplicate key, `work` runs again in a new transaction after a random delay: at most three times, and not later than
 * five seconds after the start. So `work` must have no effects outside its `tx`. After a duplicate key, the next run
 * finds the row that another transaction has inserted. A timeout of the wait for a connection is not retried.
 *
 * @throws DatabaseBusyError when the last attempt failed for a transient reason. Nothing was changed.
 * @throws the database's error (1062) when the last attempt met a duplicate key. Nothing was changed.
 * @throws DeadlineExceededError when the deadline passed before COMMIT was sent. Nothing was changed.
 * @throws CommitUnknownError when COMMIT failed and the transaction may have been committed. It is never retried.
 * @throws the error of `work` in all other cases. Nothing was changed.
 */
export function transact<T>(pool: Pool, work: (tx: Tx) => Promise<T>, options: TransactOptions = {}): Promise<T> {
  return retryTransient(() => attempt(kyselyOf(pool), work, options.deadline), options)
}

/**
 * Runs one statement that commits by itself. The database holds its locks only while it runs the statement, whatever happens
 * to this process meanwhile. After a transient failure the statement runs again, as the work of `transact` does. A connection
 * may be lost after the statement took effect, so running it twice must have the effect of running it once.
 *
 * @throws DatabaseBusyError when the last attempt failed for a transient reason. The statement may have taken effect.
 * @throws the database's error in all other cases.
 */
export function executeAutocommit<T>(pool: Pool, execute: (tx: Tx) => Promise<T>): Promise<T> {
  return retryTransient(() => execute(kyselyOf(pool) as unknown as Tx))
}

async function retryTransient<T>(
  run: () => Promise<T>,
  { deadline, isNonRetryable = never, onFailedAttempt = noop }: TransactOptions = {},
): Promise<T> {
  const startedAt = performance.now()
  let lastFailure: unknown
  for (let retries = 0; ; retries++) {
    if (deadline?.hasPassed) throw new DeadlineExceededError(lastFailure)
    try {
      return await run()
    } catch (error) {
      lastFailure = error
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

async function attempt<T>(
  db: Kysely<Tables>,
  work: (tx: Tx) => Promise<T>,
  deadline: Deadline | undefined,
): Promise<T> {
  const tx = await db.startTransaction().execute()
  let value: T
  try {
    value = await work(tx)
    if (deadline?.hasPassed) throw new DeadlineExceededError()
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
