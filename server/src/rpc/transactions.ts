import { CommitUnknownError, type FailedAttempt, type Pool, type Tx, transact } from '@pointwise/db'
import { Refusal } from '../refusals.ts'

/** What happened to transactions since the server started, by call: for metrics. */
export interface TransactionCounters {
  /** Retries, by their reason: the database's error number, the driver's code, or the name of the error. */
  retries: Record<string, number>
  /** Calls that were refused as `service_busy` after their last attempt. */
  exhausted: number
  /** COMMITs whose answer was lost. */
  lostCommits: number
}

export const newTransactionCounters = (): TransactionCounters => ({ retries: {}, exhausted: 0, lostCommits: 0 })

/** How often a request began its transactions, and why more than once. For its log line; no answer tells of it. */
export class RetryLog {
  readonly #counters: TransactionCounters
  readonly #reasons: FailedAttempt['reason'][] = []
  #retries = 0

  constructor(counters: TransactionCounters) {
    this.#counters = counters
  }

  /** Of an attempt that failed. */
  readonly record = ({ reason, isRetried }: FailedAttempt): void => {
    const { retries } = this.#counters
    this.#reasons.push(reason)
    if (isRetried) {
      this.#retries++
      retries[reason] = (retries[reason] ?? 0) + 1
    } else if (reason === 'OutcomeUnknown') this.#counters.lostCommits++
    else this.#counters.exhausted++
  }

  /** Nothing, where each transaction took one attempt. */
  get toLogFields(): { attempts: number; reasons: FailedAttempt['reason'][] } | undefined {
    return this.#reasons.length > 0 ? { attempts: this.#retries + 1, reasons: this.#reasons } : undefined
  }
}

/** Opens the transaction of a call: see `transact` of the database. */
export type Transact = <T>(work: (tx: Tx) => Promise<T>, options?: { readBack?: (tx: Tx) => Promise<T> }) => Promise<T>

/**
 * Opens transactions on a pool. Where the answer of COMMIT is lost, `readBack` tells what became of it, in a transaction of
 * its own: it must be harmless to a transaction that happened.
 */
export function transactOn(db: Pool, onFailedAttempt?: (failed: FailedAttempt) => void): Transact {
  return async (work, { readBack } = {}) => {
    try {
      return await transact(db, work, { onFailedAttempt })
    } catch (lost) {
      if (!readBack || !(lost instanceof CommitUnknownError)) throw lost
      // A refusal is an answer; whatever else goes wrong leaves the outcome unknown.
      return transact(db, readBack, { onFailedAttempt }).catch((error) => {
        throw error instanceof Refusal ? error : lost
      })
    }
  }
}
