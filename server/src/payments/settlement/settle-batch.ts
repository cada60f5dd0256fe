import {
  CommitUnknownError,
  DatabaseBusyError,
  DeadlineExceededError,
  errorCode,
  type FailedAttempt,
  isLockWait,
  type Pool,
  type Tx,
  transact,
} from '@pointwise/db'
import { deadlineExceeded, serviceBusy } from '../../refusals.ts'
import type { ContendedRows, IsContended } from './contended-rows.ts'
import type { DeadlineReserve } from './deadline-reserve.ts'
import { type Decision, decide, type PaymentWrite, type SettlementRequest } from './decide.ts'
import { findWrites } from './find-writes.ts'
import { lockAndLoad } from './lock-rows.ts'
import { writeSales } from './write-sales.ts'

/** A request that does not fit into its batch is deferred: nothing was changed for it, and the next batch settles it. */
type BatchDecision = Decision | { kind: 'deferred' }

/** The result of one request. A refusal is a rule's decision; `failed` is everything else. */
export type Outcome = BatchDecision | { kind: 'failed'; error: unknown }

export interface BatchContext {
  pool: Pool
  contendedRows: ContendedRows
  deadlineReserve: DeadlineReserve
  /** Called for each attempt that failed, with the requests that it was to settle. */
  onFailedAttempt: (failed: FailedAttempt, requests: readonly SettlementRequest[]) => void
}

/**
 * Settles requests in one transaction and returns an outcome for each, in their order. The first request is never deferred.
 *
 * - A row that another transaction keeps locked delays the batch by one lock wait. The batch is then settled without the
 *   requests that need such a row. They are refused as `service_busy`, and later batches do not wait for the row: see
 *   `ContendedRows`.
 * - A request whose deadline has passed, or may pass before COMMIT, is refused as `deadline_exceeded` before anything is locked for
 *   it. When a deadline passes nevertheless, the batch is rolled back and settled without the requests that may be late.
 * - When the answer of COMMIT is lost, the payments are read back: see `Batch.resolveLostCommit`. If they do not exist, the batch is
 *   settled once more.
 * - When the database has no time for the batch, every request fails with the same error. After any other failure the
 *   requests are settled one by one, so that only the failing request fails.
 */
export async function settleBatch(context: BatchContext, requests: readonly SettlementRequest[]): Promise<Outcome[]> {
  const batch = new Batch(context, requests)
  try {
    return await batch.run()
  } catch (error) {
    if (!(error instanceof CommitUnknownError)) return settleAfter(error, context, requests)
    const outcomes = await batch.resolveLostCommit(error)
    return outcomes ?? batch.run().catch((again) => settleAfter(again, context, requests))
  }
}

/** The outcomes of requests whose batch has failed. */
async function settleAfter(
  error: unknown,
  context: BatchContext,
  requests: readonly SettlementRequest[],
): Promise<Outcome[]> {
  const isOfEach = error instanceof CommitUnknownError || error instanceof DatabaseBusyError || isLockWait(error)
  if (requests.length === 1 || isOfEach) return requests.map(() => ({ kind: 'failed', error }))
  const outcomes: Outcome[] = []
  for (const request of requests) outcomes.push(...(await settleBatch(context, [request])))
  return outcomes
}

interface Settled {
  decisions: BatchDecision[]
  /** What was written, with real ids. */
  writes: PaymentWrite[]
}

class Batch {
  readonly #context: BatchContext
  readonly #requests: readonly SettlementRequest[]
  /** The last attempt that reached COMMIT. It holds if its COMMIT took effect. */
  #last: Settled = { decisions: [], writes: [] }

  readonly #isContended: IsContended = (row) => this.#context.contendedRows.has(row)

  constructor(context: BatchContext, requests: readonly SettlementRequest[]) {
    this.#context = context
    this.#requests = requests
  }

  /** Settles the batch. After a lock wait it does so once more, and waits for no row. */
  async run(): Promise<BatchDecision[]> {
    try {
      return await this.#attempt(this.#isContended)
    } catch (error) {
      if (!isLockWait(error)) throw error
      this.#report({ reason: errorCode(error), isRetried: true })
    }
    try {
      return await this.#attempt(() => true)
    } catch (error) {
      if (isLockWait(error)) this.#report({ reason: errorCode(error), isRetried: false })
      throw error
    }
  }

  /**
   * Finds out whether a COMMIT whose answer was lost took effect, which it did for all requests or for none. Returns the outcomes if it
   * is known that it did, or if it cannot be found out, and undefined if the transaction was rolled back. The rules are not asked again:
   * users, products and prices may have changed since.
   */
  async resolveLostCommit(lost: CommitUnknownError): Promise<Outcome[] | undefined> {
    const { decisions, writes } = this.#last
    if (writes.length === 0) return decisions
    try {
      const isCommitted = await this.#transact((tx) => findWrites(tx, writes))
      return isCommitted ? decisions : undefined
    } catch {
      return this.#requests.map(() => ({ kind: 'failed', error: lost }))
    }
  }

  /** Settles the requests that have time left. It begins again when the deadline of a request with a payment passes before COMMIT. */
  async #attempt(isContended: IsContended): Promise<BatchDecision[]> {
    const { contendedRows, deadlineReserve } = this.#context
    const startedAt = performance.now()
    for (let reserveMs = deadlineReserve.ms; ; ) {
      const attemptedAt = performance.now()
      const work = async (tx: Tx) => {
        this.#last = await settleInTime(tx, this.#requests, { contendedRows, isContended, reserveMs })
        return this.#last.decisions
      }
      const record = () => deadlineReserve.record(performance.now() - attemptedAt)
      try {
        const decisions = await this.#transact(work)
        record()
        return decisions
      } catch (error) {
        if (!(error instanceof DeadlineExceededError)) throw error
        record()
        // Each attempt demands more time than all before it took, so few deadlines can make a batch begin again.
        reserveMs = Math.max(reserveMs, 2 * (performance.now() - startedAt))
      }
    }
  }

  #transact<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return transact(this.#context.pool, work, {
      isNonRetryable: isLockWait,
      onFailedAttempt: (failed) => this.#report(failed),
    })
  }

  #report(failed: FailedAttempt): void {
    this.#context.onFailedAttempt(failed, this.#requests)
  }
}

interface Conditions {
  contendedRows: ContendedRows
  isContended: IsContended
  /** The time that a request must have left until its deadline. */
  reserveMs: number
}

/** @throws DeadlineExceededError when the deadline of a request has passed and its payment is written but not committed */
async function settleInTime(
  tx: Tx,
  requests: readonly SettlementRequest[],
  { reserveMs, ...conditions }: Conditions,
): Promise<Settled> {
  const isTimely = requests.map(({ deadline }) => deadline === undefined || deadline.remainingMs >= reserveMs)
  const timely = requests.filter((_, index) => isTimely[index])
  if (timely.length === 0) return { decisions: requests.map(late), writes: [] }
  const { decisions, writes } = await settleIn(tx, timely, conditions)
  for (const [index, decision] of decisions.entries()) {
    const isWritten = decision.kind === 'paid' && !decision.paid.replayed
    if (isWritten && timely[index]?.deadline?.hasPassed) throw new DeadlineExceededError()
  }
  const settled = decisions.values()
  return { decisions: isTimely.map((timely) => (timely ? settled.next().value : undefined) ?? late()), writes }
}

const late = (): Decision => ({ kind: 'refused', refusal: deadlineExceeded() })

/** Locks, decides and writes. A request that needs a row which another transaction holds is refused as `service_busy`. */
async function settleIn(
  tx: Tx,
  requests: readonly SettlementRequest[],
  { contendedRows, isContended }: Omit<Conditions, 'reserveMs'>,
): Promise<Settled> {
  const { state, fitting, isFitting, neededRows, acquired, heldByOthers } = await lockAndLoad(tx, requests, isContended)
  contendedRows.update({ acquired, heldByOthers })
  const isBlocked = neededRows.map((rows) => rows.some((row) => heldByOthers.has(row)))
  const {
    decisions,
    writes,
    state: after,
  } = decide(
    fitting.filter((_, index) => !isBlocked[index]),
    state,
  )
  const written = writes.length > 0 ? await writeSales(tx, writes, after.placeholderIds) : []
  const decided = decisions.values()
  const settled = isBlocked.map((blocked): Decision => {
    const decision = blocked ? undefined : decided.next().value
    if (!decision) return { kind: 'refused', refusal: serviceBusy() }
    return decision.kind === 'paid' ? { kind: 'paid', paid: after.placeholderIds.withRealIds(decision.paid) } : decision
  })
  const next = settled.values()
  return {
    decisions: isFitting.map((fits) => (fits ? next.next().value : undefined) ?? { kind: 'deferred' }),
    writes: written,
  }
}
