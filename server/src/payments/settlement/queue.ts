import { AcquireTimeoutError, DatabaseBusyError, type FailedAttempt, type Pool } from '@pointwise/db'
import { deadlineExceeded, serviceBusy } from '../../refusals.ts'
import type { PaidOrder } from '../payment-schemas.ts'
import { chooseBatch } from './batch-size.ts'
import { ContendedRows } from './contended-rows.ts'
import { DeadlineReserve } from './deadline-reserve.ts'
import type { SettlementRequest } from './decide.ts'
import { type Outcome, settleBatch } from './settle-batch.ts'

/** How many requests may wait, beside those of the batch under way. */
const PENDING_MAX = 4_096
/**
 * How long a request may wait for its batch. It is the longest lock wait of the batch under way and a second for the work:
 * InnoDB checks for lock waits that took too long once a second, so a wait of one second takes up to two.
 */
const WAIT_MAX_MS = 3_000

type OnFailedAttempt = (failed: FailedAttempt) => void

interface PendingRequest {
  request: SettlementRequest
  onFailedAttempt: OnFailedAttempt | undefined
  /** The order of arrival. */
  place: number
  since: number
  resolve: (paid: PaidOrder) => void
  reject: (reason: unknown) => void
}

/**
 * Gathers requests into batches. An idle queue settles a request at once, as a batch of one; while a batch is under way, the
 * next one gathers. The queue is bounded in size and in waiting time.
 */
export class SettlementQueue {
  readonly #pool: Pool
  readonly #contendedRows = new ContendedRows()
  readonly #deadlineReserve = new DeadlineReserve()
  #pending: PendingRequest[] = []
  #arrived = 0
  #isSettling = false
  #expiryTimer: NodeJS.Timeout | undefined
  /** When the timer fires. */
  #expiresAt = Number.POSITIVE_INFINITY

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** How many requests wait, beside those of the batch under way. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /**
   * Settles a request. Resolves when its payment is committed. `onFailedAttempt` is called for each attempt that failed.
   *
   * @throws Refusal of `decide`; service_busy when the queue is full or the request waited for too long; deadline_exceeded when the
   * deadline of the request passed, or was too close, before it was settled
   */
  settle(request: SettlementRequest, onFailedAttempt?: OnFailedAttempt): Promise<PaidOrder> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length >= PENDING_MAX) {
        reject(serviceBusy())
        return
      }
      const pending = { request, onFailedAttempt, place: this.#arrived++, since: performance.now(), resolve, reject }
      this.#pending.push(pending)
      if (this.#isSettling) this.#refuseExpiredIn(waitMs(pending))
      else void this.#settlePending()
    })
  }

  async #settlePending(): Promise<void> {
    this.#isSettling = true
    while (this.#pending.length > 0) {
      const isChosen = chooseBatch(this.#pending.map(({ request }) => request))
      const batch = this.#pending.filter((_, index) => isChosen[index])
      this.#pending = this.#pending.filter((_, index) => !isChosen[index])
      this.#restartExpiryTimer()
      // A batch that fails must not keep the next one from being settled.
      const outcomes = await this.#settle(batch).catch((error) => batch.map((): Outcome => ({ kind: 'failed', error })))
      // Answering takes this process longer than sending the next batch, so the next batch is sent first.
      const deferred = batch.filter((_, index) => outcomes[index]?.kind === 'deferred')
      setImmediate(() => {
        for (const [index, request] of batch.entries()) {
          const outcome = outcomes[index]
          if (outcome?.kind !== 'deferred') respond(request, outcome)
        }
      })
      if (deferred.length > 0) this.#returnToQueue(deferred)
      if (outcomes.some(isAcquireTimeout)) this.#refuseAll()
    }
    this.#isSettling = false
  }

  /** The requests keep the places that they had when they arrived. */
  #returnToQueue(deferred: PendingRequest[]): void {
    this.#pending = [...deferred, ...this.#pending].toSorted((a, b) => a.place - b.place)
    this.#refuseExpired()
  }

  #settle(batch: PendingRequest[]): Promise<Outcome[]> {
    const listeners = new Map(batch.map(({ request, onFailedAttempt }) => [request, onFailedAttempt]))
    return settleBatch(
      {
        pool: this.#pool,
        contendedRows: this.#contendedRows,
        deadlineReserve: this.#deadlineReserve,
        onFailedAttempt: (failed, requests) => {
          for (const request of requests) listeners.get(request)?.(failed)
        },
      },
      batch.map(({ request }) => request),
    )
  }

  /** No connection was free for a batch. The waiting requests would time out as well, so they are refused now. */
  #refuseAll(): void {
    for (const { reject } of this.#pending.splice(0)) reject(serviceBusy())
    this.#restartExpiryTimer()
  }

  #refuseExpired(): void {
    const { expired = [], pending = [] } = Object.groupBy(this.#pending, (each) =>
      waitMs(each) <= 0 ? 'expired' : 'pending',
    )
    this.#pending = pending
    for (const { reject, request } of expired) reject(request.deadline?.hasPassed ? deadlineExceeded() : serviceBusy())
    this.#restartExpiryTimer()
  }

  /** One timer, for the request that expires first. */
  #restartExpiryTimer(): void {
    clearTimeout(this.#expiryTimer)
    this.#expiresAt = Number.POSITIVE_INFINITY
    const first = this.#pending.reduce((ms, each) => Math.min(ms, waitMs(each)), Number.POSITIVE_INFINITY)
    if (this.#pending.length > 0) this.#refuseExpiredIn(first)
  }

  #refuseExpiredIn(ms: number): void {
    const at = performance.now() + ms
    if (at >= this.#expiresAt) return
    clearTimeout(this.#expiryTimer)
    this.#expiresAt = at
    this.#expiryTimer = setTimeout(() => this.#refuseExpired(), Math.max(0, ms))
  }
}

/** How long a request may still wait for its batch, in milliseconds. */
function waitMs({ since, request: { deadline } }: PendingRequest): number {
  return Math.min(since + WAIT_MAX_MS - performance.now(), deadline?.remainingMs ?? Number.POSITIVE_INFINITY)
}

function isAcquireTimeout(outcome: Outcome): boolean {
  return (
    outcome.kind === 'failed' &&
    outcome.error instanceof DatabaseBusyError &&
    outcome.error.cause instanceof AcquireTimeoutError
  )
}

function respond(
  { resolve, reject }: PendingRequest,
  outcome: Exclude<Outcome, { kind: 'deferred' }> | undefined,
): void {
  if (outcome?.kind === 'paid') resolve(outcome.paid)
  else if (outcome?.kind === 'refused') reject(outcome.refusal)
  else reject(outcome ? outcome.error : new Error('The settlement returned no outcome for a request.'))
}
