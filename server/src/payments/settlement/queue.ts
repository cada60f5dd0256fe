import { AcquireTimeoutError, DatabaseBusyError, type FailedAttempt, type Pool } from '@pointwise/db'
import { Refusal, serviceBusy } from '../../refusals.ts'
import type { RowKey } from './contended-rows.ts'
import type { PaymentResult, SettlementRequest } from './decide.ts'
import { type BatchContext, type Result, settleBatch } from './settle-batch.ts'

/** How many requests may wait, beside those of the batch under way. */
const WAITING_MAX = 4_096
/**
 * Longer, by a second for the work, than the longest lock wait of the batch under way, after which those behind it are
 * served: InnoDB looks once a second for who has waited too long, so that its wait of one second takes up to two.
 */
const WAIT_MAX_MS = 3_000
/** How many requests one transaction settles at most, so that its locks are held briefly. */
const BATCH_MAX = 256

type Tell = (failed: FailedAttempt) => void

interface Waiting {
  request: SettlementRequest
  tell: Tell | undefined
  since: number
  resolve: (paid: PaymentResult) => void
  reject: (reason: unknown) => void
}

/**
 * Gathers payments into batches: an idle queue settles at once, a batch of one; while a batch is under way, the next one
 * gathers. Bounded in size and in waiting time.
 */
export class SettlementQueue {
  readonly #db: Pool
  readonly #suspects = new Map<RowKey, string | number>()
  #waiting: Waiting[] = []
  #isSettling = false
  #expiry: NodeJS.Timeout | undefined

  constructor(db: Pool) {
    this.#db = db
  }

  /** How many requests wait, beside those of the batch under way. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Settles a request, and resolves when its payment is committed. `tell` hears of each attempt that failed.
   *
   * @throws Refusal what `settle` refuses it with; service_busy beyond the bounds
   */
  settle(request: SettlementRequest, tell?: Tell): Promise<PaymentResult> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_MAX) {
        reject(serviceBusy())
        return
      }
      this.#waiting.push({ request, tell, since: performance.now(), resolve, reject })
      if (!this.#isSettling) void this.#drain()
      else this.#expiry ??= setTimeout(() => this.#expire(), WAIT_MAX_MS)
    })
  }

  async #drain(): Promise<void> {
    this.#isSettling = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX)
      this.#rearm()
      // Whatever happens to one batch, the next is settled.
      const results = await this.#settleTogether(batch).catch((fault) => batch.map((): Result => ({ fault })))
      // The next batch is on its way to the database by then: answering takes this process longer than asking.
      setImmediate(() => {
        for (const [index, { resolve, reject }] of batch.entries()) answer(results[index], resolve, reject)
      })
      if (results.some(hadNoConnection)) this.#refuseAll()
    }
    this.#isSettling = false
  }

  #settleTogether(batch: Waiting[]): Promise<Result[]> {
    const tellOf = new Map(batch.map(({ request, tell }) => [request, tell]))
    const bench: BatchContext = {
      db: this.#db,
      suspects: this.#suspects,
      onFailedAttempt: (failed, requests) => {
        for (const request of requests) tellOf.get(request)?.(failed)
      },
    }
    return settleBatch(
      bench,
      batch.map(({ request }) => request),
    )
  }

  /** A batch waited for a connection in vain: so did those behind it, who are not made to wait as long again. */
  #refuseAll(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(serviceBusy())
    this.#rearm()
  }

  #expire(): void {
    const overdue = performance.now() - WAIT_MAX_MS
    const isOverdue = ({ since }: Waiting) => since <= overdue
    for (const { reject } of this.#waiting.filter(isOverdue)) reject(serviceBusy())
    this.#waiting = this.#waiting.filter((waiting) => !isOverdue(waiting))
    this.#rearm()
  }

  /** One timer, for whoever has waited longest. */
  #rearm(): void {
    clearTimeout(this.#expiry)
    const [oldest] = this.#waiting
    const leftMs = oldest && Math.max(0, oldest.since + WAIT_MAX_MS - performance.now())
    this.#expiry = leftMs === undefined ? undefined : setTimeout(() => this.#expire(), leftMs)
  }
}

function hadNoConnection(result: Result): boolean {
  return (
    'fault' in result && result.fault instanceof DatabaseBusyError && result.fault.cause instanceof AcquireTimeoutError
  )
}

function answer(result: Result | undefined, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
  if (!result) reject(new Error('A request was not settled.'))
  else if (result instanceof Refusal) reject(result)
  else if ('fault' in result) reject(result.fault)
  else resolve(result)
}
