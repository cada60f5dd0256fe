import type { Db } from '@pointwise/db'
import { BUSY_AFTER_MS, Refusal } from '../refusals.ts'
import { type Result, settleBatch } from './batch.ts'
import type { RowKey } from './books.ts'
import type { Paid, Request } from './settlement.ts'

/** How many requests may wait, beside those of the batch under way. */
const WAITING_MAX = 4_096
const WAIT_MAX_MS = 2_000
/** How many requests one transaction settles at most, so that its locks are held briefly. */
const BATCH_MAX = 256

interface Waiting {
  request: Request
  since: number
  resolve: (paid: Paid) => void
  reject: (reason: unknown) => void
}

/**
 * Gathers payments into batches: an idle queue settles at once, a batch of one; while a batch is under way, the next one
 * gathers. Bounded in size and in waiting time.
 */
export class SettlementQueue {
  readonly #db: Db
  readonly #suspects = new Set<RowKey>()
  #waiting: Waiting[] = []
  #isSettling = false
  #expiry: NodeJS.Timeout | undefined

  constructor(db: Db) {
    this.#db = db
  }

  /**
   * Settles a request, and resolves when its payment is committed.
   *
   * @throws Refusal what `settle` refuses it with; service_busy beyond the bounds
   */
  settle(request: Request): Promise<Paid> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= WAITING_MAX) {
        reject(busy())
        return
      }
      this.#waiting.push({ request, since: performance.now(), resolve, reject })
      if (!this.#isSettling) void this.#drain()
      else this.#expiry ??= setTimeout(() => this.#expire(), WAIT_MAX_MS)
    })
  }

  async #drain(): Promise<void> {
    this.#isSettling = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX)
      this.#rearm()
      const requests = batch.map(({ request }) => request)
      const results = await settleBatch(this.#db, requests, this.#suspects)
      for (const [index, { resolve, reject }] of batch.entries()) answer(results[index], resolve, reject)
    }
    this.#isSettling = false
  }

  #expire(): void {
    const overdue = performance.now() - WAIT_MAX_MS
    const isOverdue = ({ since }: Waiting) => since <= overdue
    for (const { reject } of this.#waiting.filter(isOverdue)) reject(busy())
    this.#waiting = this.#waiting.filter((waiting) => !isOverdue(waiting))
    this.#rearm()
  }

  /** One timer, for whoever has waited longest. */
  #rearm(): void {
    clearTimeout(this.#expiry)
    const [oldest] = this.#waiting
    this.#expiry = oldest && setTimeout(() => this.#expire(), oldest.since + WAIT_MAX_MS - performance.now())
  }
}

const busy = () => new Refusal('service_busy', { afterMs: BUSY_AFTER_MS })

function answer(result: Result | undefined, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
  if (!result) reject(new Error('A request was not settled.'))
  else if (result instanceof Refusal) reject(result)
  else if ('fault' in result) reject(result.fault)
  else resolve(result)
}

const queues = new WeakMap<Db, SettlementQueue>()

/** The one queue of a pool: everybody who pays through it is settled together. */
export function settlementQueueOf(db: Db): SettlementQueue {
  const queue = queues.get(db) ?? new SettlementQueue(db)
  queues.set(db, queue)
  return queue
}
