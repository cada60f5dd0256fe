import { CommitUnknownError, type Deadline, type FailedAttempt, type Pool, type Tx, transact } from '@pointwise/db'
import { Refusal } from '../refusals.ts'

/** Totals of failed transaction attempts since the server started, for metrics. */
export interface TransactionCounters {
  /** Retries by reason: the database's error number, the driver's error code, or the name of the error. */
  retries: Record<string, number>
  /** Calls that were refused with `service_busy` after their last attempt. */
  exhausted: number
  /** COMMITs whose result was lost with the connection. */
  lostCommits: number
}

export const newTransactionCounters = (): TransactionCounters => ({ retries: {}, exhausted: 0, lostCommits: 0 })

/** Records the failed transaction attempts of one request, for its log line. Clients do not see them. */
export class RetryLog {
  readonly #counters: TransactionCounters
  readonly #reasons: FailedAttempt['reason'][] = []
  #retries = 0

  constructor(counters: TransactionCounters) {
    this.#counters = counters
  }

  readonly record = ({ reason, isRetried }: FailedAttempt): void => {
    const { retries } = this.#counters
    this.#reasons.push(reason)
    if (isRetried) {
      this.#retries++
      retries[reason] = (retries[reason] ?? 0) + 1
    } else if (reason === 'CommitUnknownError') this.#counters.lostCommits++
    else this.#counters.exhausted++
  }

  /** The fields of the log line; undefined when no attempt failed. */
  toLogFields(): { attempts: number; reasons: FailedAttempt['reason'][] } | undefined {
    return this.#reasons.length > 0 ? { attempts: this.#retries + 1, reasons: this.#reasons } : undefined
  }
}

export interface TransactionOptions<T> {
  /** Completes the work when the result of COMMIT is lost. It must have no effect if the lost transaction was committed. */
  resolveLostCommit?: (tx: Tx) => Promise<T>
  /** Called when the transaction has ended, whether it was committed, was rolled back or has an unknown outcome: see `Transact`. */
  onEnd?: () => void | Promise<void>
}

/**
 * Runs `work` in a transaction, which is retried after a transient failure: see `transact` of `@pointwise/db`. `onEnd` invalidates
 * what the work changes in a cache. It is called in every case, because a COMMIT whose result was lost may have taken effect.
 */
export type Transact = <T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions<T>) => Promise<T>

interface CallOptions {
  /** The deadline of the call. After it, nothing is written. */
  deadline?: Deadline | undefined
  onFailedAttempt?: ((failed: FailedAttempt) => void) | undefined
}

/** Creates a `Transact` on a pool. `resolveLostCommit` runs in a transaction of its own, which has the same deadline. */
export function transactOn(db: Pool, options: CallOptions = {}): Transact {
  return async (work, { resolveLostCommit, onEnd } = {}) => {
    try {
      return await transact(db, work, options)
    } catch (lost) {
      if (!resolveLostCommit || !(lost instanceof CommitUnknownError)) throw lost
      // A refusal is a definite result. Any other failure leaves the outcome of the COMMIT unknown.
      return await transact(db, resolveLostCommit, options).catch((error) => {
        throw error instanceof Refusal ? error : lost
      })
    } finally {
      await onEnd?.()
    }
  }
}
