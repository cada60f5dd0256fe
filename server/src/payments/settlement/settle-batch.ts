import {
  CommitUnknownError,
  DatabaseBusyError,
  errorCode,
  executeBatch,
  type FailedAttempt,
  isLockWait,
  type Pool,
  type Tx,
  transact,
} from '@pointwise/db'
import * as orders from '../../orders/service.ts'
import { insertEvents } from '../../outbox/events.ts'
import * as points from '../../points/service.ts'
import * as sales from '../../products/stock.ts'
import { Refusal, serviceBusy } from '../../refusals.ts'
import * as queries from '../queries.ts'
import type { RowKey } from './contended-rows.ts'
import { decide, type PaymentResult, type PaymentWrite, type SettlementRequest } from './decide.ts'
import { lockAndLoad } from './lock-rows.ts'

/** Of one request: what it came to, a rule's no, or a fault. */
export type Result = PaymentResult | Refusal | { fault: unknown }

type Suspects = Map<RowKey, string | number>

/** Where requests are settled. */
export interface BatchContext {
  db: Pool
  /** The rows that somebody else kept locked when they were last wanted, and what they said then. */
  suspects: Suspects
  /** Told of each attempt that failed, and which requests it was to settle. */
  onFailedAttempt: (failed: FailedAttempt, requests: readonly SettlementRequest[]) => void
}

/**
 * Settles requests in one transaction; each has an outcome of its own.
 *
 * - A row that somebody else keeps locked holds the batch up for one lock wait, once. The batch is then settled without
 *   the requests that need it, which are refused as `service_busy`, and the row joins the `suspects`: nobody waits for
 *   one of those again, and it leaves them when its lock is had, or when it changes under the hands of others.
 * - When the answer of COMMIT is lost, the batch is run again: its locks wait for the lost one to end, and each payment
 *   that it finds already made, as it was computed, is the request's own.
 * - A database that has no time for the batch has none for its requests. After any other failure they are settled one by
 *   one, so that only the guilty one fails.
 */
export async function settleBatch(bench: BatchContext, requests: readonly SettlementRequest[]): Promise<Result[]> {
  const { db, suspects } = bench
  const onFailedAttempt = (failed: FailedAttempt) => bench.onFailedAttempt(failed, requests)
  /** What the last run came to, provided that its COMMIT took place. */
  let computed: Result[] = []
  const run = (isSuspect: (row: RowKey) => boolean) =>
    transact(
      db,
      async (tx) => {
        computed = await settleIn(tx, requests, suspects, isSuspect)
        return computed
      },
      { isNonRetryable: isLockWait, onFailedAttempt },
    )
  const isKnownSuspect = (row: RowKey) => suspects.has(row)

  let failure: unknown
  for (const isSuspect of [isKnownSuspect, () => true]) {
    try {
      return await run(isSuspect)
    } catch (error) {
      failure = error
      if (!isLockWait(error)) break
      onFailedAttempt({ reason: errorCode(error), isRetried: isSuspect === isKnownSuspect })
    }
  }
  if (failure instanceof CommitUnknownError) {
    const lost = computed
    const again = await run(isKnownSuspect).catch(() => undefined)
    return requests.map((_, index) => outcomeOf(lost[index], again?.[index]) ?? { fault: failure })
  }
  if (requests.length === 1 || failure instanceof DatabaseBusyError || isLockWait(failure)) {
    return requests.map(() => ({ fault: failure }))
  }
  const results: Result[] = []
  for (const request of requests) results.push(...(await settleBatch(bench, [request])))
  return results
}

/** What became of a request whose COMMIT was lost, when it is settled again; undefined if that is still not known. */
function outcomeOf(lost: Result | undefined, again: Result | undefined): Result | undefined {
  if (!lost || !('payment' in lost) || lost.replayed || !again) return again
  if ('fault' in again || (again instanceof Refusal && again.refusal.code === 'service_busy')) return undefined
  return isSamePayment(lost, again) ? lost : again
}

function isSamePayment({ payment }: PaymentResult, again: Result): boolean {
  if (!('payment' in again) || !again.replayed) return false
  const { orderId, paidAt } = again.payment
  return orderId === payment.orderId && paidAt.getTime() === payment.paidAt.getTime()
}

async function settleIn(
  tx: Tx,
  requests: readonly SettlementRequest[],
  suspects: Suspects,
  isSuspect: (row: RowKey) => boolean,
): Promise<Result[]> {
  const { books, needs, free, blocked } = await lockAndLoad(tx, requests, isSuspect)
  for (const row of free) suspects.delete(row)
  for (const [row, now] of blocked) {
    // What is locked and yet changes passes from hand to hand: who does not wait for it in line never has it.
    if ((suspects.get(row) ?? now) === now) suspects.set(row, now)
    else suspects.delete(row)
  }
  const isBlocked = needs.map((rows) => rows.some((row) => blocked.has(row)))
  const settled = decide(
    requests.filter((_, index) => !isBlocked[index]),
    books,
  )
  const idOf = settled.sales.length > 0 ? await write(tx, settled.sales) : (id: number) => id
  const outcomes = settled.outcomes.values()
  return requests.map((_, index): Result => {
    const outcome = isBlocked[index] ? undefined : outcomes.next().value
    if (!outcome) return serviceBusy()
    return outcome instanceof Refusal ? outcome : withId(outcome, idOf)
  })
}

/** Writes the sales, the stock among the last, and returns the ids that the new orders were given. */
async function write(tx: Tx, all: PaymentWrite[]): Promise<(id: number) => number> {
  const placed = all.flatMap(({ userId, order, placedWith }) =>
    placedWith === undefined ? [] : [{ ...order, userId, idempotencyKey: placedWith }],
  )
  const [inserted] = await executeBatch(tx, placed.length > 0 ? orders.insertOrders(tx, placed) : undefined)
  // `newOrderId` counts down from -1.
  const idOf = (id: number) => (inserted && id < 0 ? inserted.insertId - id - 1 : id)

  const paid = all.filter(({ placedWith }) => placedWith === undefined)
  const payments = all.map(({ userId, payment }) => ({ ...payment, userId, orderId: idOf(payment.orderId) }))
  const wallets = new Map(
    all.map(({ walletId, balance, payment }) => [walletId, { walletId, balance, updatedAt: payment.paidAt }]),
  )
  const movements = all.flatMap(({ items, payment }) => items.map((item) => ({ ...item, soldAt: payment.paidAt })))
  await executeBatch(
    tx,
    placed.length > 0
      ? orders.insertLines(
          tx,
          placed.flatMap(({ id, items }) => items.map((item) => ({ ...item, orderId: idOf(id) }))),
        )
      : undefined,
    paid.length > 0
      ? orders.updatePaid(
          tx,
          paid.map(({ order, payment }) => ({ id: order.id, paidAt: payment.paidAt })),
        )
      : undefined,
    points.updateBalances(tx, [...wallets.values()]),
    points.insertHistories(
      tx,
      all.map(({ walletId, balance, payment }) => ({
        walletId,
        amount: -payment.amount,
        balance,
        type: 'USE',
        orderId: idOf(payment.orderId),
        idempotencyKey: null,
        createdAt: payment.paidAt,
      })),
    ),
    queries.insertPayments(tx, payments),
    ...sales.sellStatements(tx, movements),
    insertEvents(
      tx,
      all.flatMap((sale) => eventsOf(sale, idOf(sale.payment.orderId))),
    ),
  )
  return idOf
}

function eventsOf({ userId, order, placedWith, payment, balance, items }: PaymentWrite, orderId: number) {
  const { amount, paidAt: at } = payment
  const paid = { type: 'order.paid', payload: { userId, orderId, amount, balance, items }, at } as const
  return placedWith === undefined ? [paid] : [orders.orderPlacedEvent(userId, { ...order, id: orderId }), paid]
}

function withId(outcome: PaymentResult, idOf: (id: number) => number): PaymentResult {
  const { order, payment, ...rest } = outcome
  return {
    ...rest,
    order: { ...order, id: idOf(order.id) },
    payment: { ...payment, orderId: idOf(payment.orderId) },
  }
}
