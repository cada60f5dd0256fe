import type { Db, Tx } from '@pointwise/db'
import { emit } from '../events.ts'
import * as orders from '../orders/service.ts'
import * as points from '../points/service.ts'
import * as sales from '../products/sales.ts'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

export interface Payment {
  orderId: number
  amount: number
  paidAt: Date
}

export interface Paid {
  payment: Payment
  /** The wallet right after the payment, also when it is replayed. */
  balance: number
  replayed: boolean
}

/** @throws Refusal payment_not_found, also for another user's */
export async function get(db: Db, userId: number, orderId: number): Promise<Payment> {
  return queries
    .selectPayment(db, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('payment_not_found', { orderId }))
}

/**
 * Pays an order with its owner's points, once: paying it again returns the first payment.
 *
 * @throws Refusal order_not_found, order_not_payable, points_insufficient, stock_insufficient
 */
export async function pay(
  tx: Tx,
  { userId, orderId, now }: { userId: number; orderId: number; now: Date },
): Promise<Paid> {
  // The order is locked before its status is looked at: a second payment waits here, and then sees the first.
  const order = await orders.lockOfUser(tx, userId, orderId)
  if (order.status === 'paid') return replay(tx, userId, orderId)
  if (order.status !== 'pending') throw new Refusal('order_not_payable', { status: order.status })
  const wallet = await points.lock(tx, userId)
  const { payment, balance, event } = await settle(tx, { userId, wallet, order, now })
  await emit(tx, event)
  return { payment, balance, replayed: false }
}

/**
 * Places an order and pays it, both or neither, once for each idempotency key.
 *
 * @throws Refusal idempotency_key_reused, product_not_found, price_changed, points_insufficient, stock_insufficient
 */
export async function checkout(tx: Tx, call: orders.PlaceCall): Promise<Paid & { order: orders.Order }> {
  const { userId, now } = call
  // The wallet is locked before the key is looked for: a repeat waits here, and then sees the order that it repeats.
  const wallet = await points.lock(tx, userId)
  const earlier = await orders.findByKey(tx, call)
  if (earlier) {
    // A key names one row: that of an order which was placed and never paid is not ours to pay.
    if (!earlier.paidAt) throw new Refusal('idempotency_key_reused')
    return { order: earlier, ...(await replay(tx, userId, earlier.id)) }
  }
  const placed = await orders.create(tx, call)
  const { order, payment, balance, event } = await settle(tx, { userId, wallet, order: placed, now })
  await emit(tx, orders.placed(userId, placed), event)
  return { order, payment, balance, replayed: false }
}

/**
 * What paying a pending order out of a wallet does, both locked: points, order and payment first, and the stock, which
 * other buyers of the same products wait for, last.
 */
async function settle(
  tx: Tx,
  { userId, wallet, order, now }: { userId: number; wallet: points.Wallet; order: orders.Order; now: Date },
) {
  const payment = { orderId: order.id, amount: order.totalPrice, paidAt: now }
  const balance = await points.use(tx, wallet, { ...payment, now })
  await queries.insertPayment(tx, { userId, ...payment }).execute()
  const paid = await orders.markPaid(tx, order, now)
  const items = await sales.sell(tx, order.items, now)
  const { orderId, amount } = payment
  return {
    order: paid,
    payment,
    balance,
    event: { type: 'order.paid', payload: { userId, orderId, amount, balance, items }, at: now } as const,
  }
}

async function replay(db: Db, userId: number, orderId: number): Promise<Paid> {
  const payment = await get(db, userId, orderId)
  return { payment, balance: await points.balanceAfterPaying(db, orderId), replayed: true }
}

export interface Refunded {
  orderId: number
  amount: number
  refundedAt: Date
  replayed: boolean
}

/**
 * Gives an order's points back and takes its goods back, once: refunding it again returns the first refund.
 *
 * @throws Refusal order_not_found, order_not_refundable, points_limit_exceeded
 */
export async function refund(tx: Tx, { orderId, now }: { orderId: number; now: Date }): Promise<Refunded> {
  const order = await orders.lock(tx, orderId)
  if (order.status === 'refunded') {
    return { ...(await queries.selectRefund(tx, orderId).executeTakeFirstOrThrow()), replayed: true }
  }
  if (order.status !== 'paid' || !order.paidAt) throw new Refusal('order_not_refundable', { status: order.status })
  const { userId, totalPrice: amount } = order
  const wallet = await points.lock(tx, userId)
  const balance = await points.refund(tx, wallet, { orderId, amount, now })
  await queries.insertRefund(tx, { orderId, amount, refundedAt: now }).execute()
  await orders.markRefunded(tx, orderId, now)
  const items = await sales.takeBack(tx, order.items, order.paidAt)
  await emit(tx, { type: 'order.refunded', payload: { userId, orderId, amount, balance, items }, at: now })
  return { orderId, amount, refundedAt: now, replayed: false }
}
