import {
  CommitUnknownError,
  DatabaseBusyError,
  errorCode,
  type FailedAttempt,
  isLockWait,
  type Pool,
  type Tx,
  transact,
} from '@pointwise/db'
import { serviceBusy } from '../../refusals.ts'
import type { PaidOrder } from '../payment-schemas.ts'
import type { ContendedRows, IsContended } from './contended-rows.ts'
import { type Decision, decide, type SettlementRequest } from './decide.ts'
import { lockAndLoad } from './lock-rows.ts'
import { writeSales } from './write-sales.ts'

/** The result of one request. A refusal is a rule's decision; `failed` is everything else. */
export type Outcome = Decision | { kind: 'failed'; error: unknown }

export interface BatchContext {
  pool: Pool
  contendedRows: ContendedRows
  /** Called for each attempt that failed, with the requests that it was to settle. */
  onFailedAttempt: (failed: FailedAttempt, requests: readonly SettlementRequest[]) => void
}

/**
 * Settles requests in one transaction and returns an outcome for each, in their order.
 *
 * - A row that another transaction keeps locked delays the batch by one lock wait. The batch is then settled without the
 *   requests that need such a row. They are refused as `service_busy`, and later batches do not wait for the row: see
 *   `ContendedRows`.
 * - When the answer of COMMIT is lost, the batch runs again to find out which payments were made: see `Batch.resolveLostCommit`.
 * - When the database has no time for the batch, every request fails with the same error. After any other failure the
 *   requests are settled one by one, so that only the failing request fails.
 */
export async function settleBatch(context: BatchContext, requests: readonly SettlementRequest[]): Promise<Outcome[]> {
  const batch = new Batch(context, requests)
  try {
    return await batch.run()
  } catch (error) {
    if (error instanceof CommitUnknownError) return batch.resolveLostCommit(error)
    if (requests.length === 1 || error instanceof DatabaseBusyError || isLockWait(error)) {
      return requests.map(() => ({ kind: 'failed', error }))
    }
    const outcomes: Outcome[] = []
    for (const request of requests) outcomes.push(...(await settleBatch(context, [request])))
    return outcomes
  }
}

class Batch {
  readonly #context: BatchContext
  readonly #requests: readonly SettlementRequest[]
  /** The decisions of the last attempt. They hold if its COMMIT took effect. */
  #decisions: Decision[] = []

  readonly #isContended: IsContended = (row) => this.#context.contendedRows.has(row)

  constructor(context: BatchContext, requests: readonly SettlementRequest[]) {
    this.#context = context
    this.#requests = requests
  }

  /** Settles the batch. After a lock wait it does so once more, and waits for no row. */
  async run(): Promise<Decision[]> {
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
   * Settles the batch again after the answer of its COMMIT was lost. The locks of the second run wait for the lost
   * transaction to end. A payment that the second run finds made, exactly as the first run decided it, was made by the first
   * run. A request whose outcome still is not known fails with `lost`.
   */
  async resolveLostCommit(lost: CommitUnknownError): Promise<Outcome[]> {
    const first = this.#decisions
    const second = await this.#attempt(this.#isContended).catch(() => undefined)
    return this.#requests.map(
      (_, index) => knownOutcome(first[index], second?.[index]) ?? { kind: 'failed', error: lost },
    )
  }

  async #attempt(isContended: IsContended): Promise<Decision[]> {
    const work = async (tx: Tx) => {
      this.#decisions = await settleIn(tx, this.#requests, this.#context.contendedRows, isContended)
      return this.#decisions
    }
    return transact(this.#context.pool, work, {
      isNonRetryable: isLockWait,
      onFailedAttempt: (failed) => this.#report(failed),
    })
  }

  #report(failed: FailedAttempt): void {
    this.#context.onFailedAttempt(failed, this.#requests)
  }
}

/** Locks, decides and writes. A request that needs a row which another transaction holds is refused as `service_busy`. */
async function settleIn(
  tx: Tx,
  requests: readonly SettlementRequest[],
  contendedRows: ContendedRows,
  isContended: IsContended,
): Promise<Decision[]> {
  const { state, neededRows, acquired, heldByOthers } = await lockAndLoad(tx, requests, isContended)
  contendedRows.update({ acquired, heldByOthers })
  const isBlocked = neededRows.map((rows) => rows.some((row) => heldByOthers.has(row)))
  const {
    decisions,
    writes,
    state: after,
  } = decide(
    requests.filter((_, index) => !isBlocked[index]),
    state,
  )
  if (writes.length > 0) await writeSales(tx, writes, after.placeholderIds)
  const decided = decisions.values()
  return isBlocked.map((blocked): Decision => {
    const decision = blocked ? undefined : decided.next().value
    if (!decision) return { kind: 'refused', refusal: serviceBusy() }
    return decision.kind === 'paid' ? { kind: 'paid', paid: after.placeholderIds.withRealIds(decision.paid) } : decision
  })
}

/** The outcome of a request whose COMMIT was lost, from the decisions of both runs; undefined when it is not known. */
function knownOutcome(first: Decision | undefined, second: Decision | undefined): Decision | undefined {
  // The first run had nothing to write for this request, so only the second run counts.
  if (first?.kind !== 'paid' || first.paid.replayed || !second) return second
  // The payment of the first run exists, or the second run has made one.
  if (second.kind === 'paid') return isSamePayment(first.paid, second.paid) ? first : second
  // A row was locked by another transaction, so the second run has not looked at the order.
  return second.refusal.refusal.code === 'service_busy' ? undefined : second
}

function isSamePayment({ payment }: PaidOrder, again: PaidOrder): boolean {
  const { orderId, paidAt } = again.payment
  return again.replayed && orderId === payment.orderId && paidAt.getTime() === payment.paidAt.getTime()
}
