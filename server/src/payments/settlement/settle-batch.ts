import {
  DatabaseBusy,
  type Db,
  type FailedAttempt,
  isLockWait,
  OutcomeUnknown,
  reasonOf,
  type Tx,
  together,
  transact,
} from '@pointwise/db'
import * as orders from '../../orders/service.ts'
import { insertEvents } from '../../outbox/events.ts'
import * as points from '../../points/service.ts'
import * as sales from '../../products/stock.ts'
import { BUSY_AFTER_MS, Refusal } from '../../refusals.ts'
import * as queries from '../queries.ts'
import type { RowKey } from './contended-rows.ts'
import { type Paid, type Request, type Sale, settle } from './decide.ts'
import { readBooks } from './lock-rows.ts'

/** Of one request: what it came to, a rule's no, or a fault. */
export type Result = Paid | Refusal | { fault: unknown }

type Suspects = Map<RowKey, string | number>

/** Where requests are settled. */
export interface Bench {
  db: Db
  /** The rows that somebody else kept locked when they were last wanted, and what they said then. */
  suspects: Suspects
  /** Told of each attempt that failed, and which requests it was to settle. */
  onFailedAttempt: (failed: FailedAttempt, requests: readonly Request[]) => void
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
export async function settleBatch(bench: Bench, requests: readonly Request[]): Promise<Result[]> {
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
      { isFinal: isLockWait, onFailedAttempt },
    )
  const isKnownSuspect = (row: RowKey) => suspects.has(row)

  let failure: unknown
  for (const isSuspect of [isKnownSuspect, () => true]) {
    try {
      return await run(isSuspect)
    } catch (error) {
      failure = error
      if (!isLockWait(error)) break
      onFailedAttempt({ reason: reasonOf(error), isRetried: isSuspect === isKnownSuspect })
    }
  }
  if (failure instanceof OutcomeUnknown) {
    const lost = computed
    const again = await run(isKnownSuspect).catch(() => undefined)
    return requests.map((_, index) => outcomeOf(lost[index], again?.[index]) ?? { fault: failure })
  }
  if (requests.length === 1 || failure instanceof DatabaseBusy || isLockWait(failure)) {
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

function isSamePayment({ payment }: Paid, again: Result): boolean {
  if (!('payment' in again) || !again.replayed) return false
  const { orderId, paidAt } = again.payment
  return orderId === payment.orderId && paidAt.getTime() === payment.paidAt.getTime()
}

async function settleIn(
  tx: Tx,
  requests: readonly Request[],
  suspects: Suspects,
  isSuspect: (row: RowKey) => boolean,
): Promise<Result[]> {
  const { books, needs, free, blocked } = await readBooks(tx, requests, isSuspect)
  for (const row of free) suspects.delete(row)
  for (const [row, now] of blocked) {
    // What is locked and yet changes passes from hand to hand: who does not wait for it in line never has it.
    if ((suspects.get(row) ?? now) === now) suspects.set(row, now)
    else suspects.delete(row)
  }
  const isBlocked = needs.map((rows) => rows.some((row) => blocked.has(row)))
  const settled = settle(
    requests.filter((_, index) => !isBlocked[index]),
    books,
  )
  const idOf = settled.sales.length > 0 ? await write(tx, settled.sales) : (id: number) => id
  const outcomes = settled.outcomes.values()
  return requests.map((_, index): Result => {
    const outcome = isBlocked[index] ? undefined : outcomes.next().value
    if (!outcome) return new Refusal('service_busy', { afterMs: BUSY_AFTER_MS })
    return outcome instanceof Refusal ? outcome : withId(outcome, idOf)
  })
}

/** Writes the sales, the stock among the last, and returns the ids that the new orders were given. */
async function write(tx: Tx, all: Sale[]): Promise<(id: number) => number> {
  const placed = all.flatMap(({ userId, order, placedWith }) =>
    placedWith === undefined ? [] : [{ ...order, userId, idempotencyKey: placedWith }],
  )
  const [inserted] = await together(tx, placed.length > 0 ? orders.insertOrders(tx, placed) : undefined)
  // `newOrderId` counts down from -1.
  const idOf = (id: number) => (inserted && id < 0 ? inserted.insertId - id - 1 : id)

  const paid = all.filter(({ placedWith }) => placedWith === undefined)
  const payments = all.map(({ userId, payment }) => ({ ...payment, userId, orderId: idOf(payment.orderId) }))
  const wallets = new Map(
    all.map(({ walletId, balance, payment }) => [walletId, { walletId, balance, updatedAt: payment.paidAt }]),
  )
  const movements = all.flatMap(({ items, payment }) => items.map((item) => ({ ...item, soldAt: payment.paidAt })))
  await together(
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

function eventsOf({ userId, order, placedWith, payment, balance, items }: Sale, orderId: number) {
  const { amount, paidAt: at } = payment
  const paid = { type: 'order.paid', payload: { userId, orderId, amount, balance, items }, at } as const
  return placedWith === undefined ? [paid] : [orders.placed(userId, { ...order, id: orderId }), paid]
}

function withId(outcome: Paid, idOf: (id: number) => number): Paid {
  const { order, payment, ...rest } = outcome
  return {
    ...rest,
    order: { ...order, id: idOf(order.id) },
    payment: { ...payment, orderId: idOf(payment.orderId) },
  }
}
