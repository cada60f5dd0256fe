import type { Reader, Tx } from '@pointwise/db'
import * as orders from '../orders/service.ts'
import { insertEvent, type TraceContext } from '../outbox/events.ts'
import * as points from '../points/service.ts'
import * as stock from '../products/stock.ts'
import { Refusal } from '../refusals.ts'
import type { Payment, Refund } from './payment-schemas.ts'
import * as queries from './queries.ts'

/** @throws Refusal payment_not_found, also for the payment of another user */
export async function get(db: Reader, userId: number, orderId: number): Promise<Payment> {
  return queries
    .selectPayment(db, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('payment_not_found', { orderId }))
}

/**
 * Refunds a paid order once: returns its points to the wallet and its items to the stock. A repeat returns the first refund.
 *
 * @throws Refusal order_not_found, order_not_refundable, points_limit_exceeded
 */
export async function refund(
  tx: Tx,
  { orderId, now, traceparent }: { orderId: number; now: Date } & TraceContext,
): Promise<Refund> {
  const order = await orders.lock(tx, orderId)
  if (order.status === 'refunded') {
    return { ...(await queries.selectRefund(tx, orderId).executeTakeFirstOrThrow()), replayed: true }
  }
  if (order.status !== 'paid' || !order.paidAt) throw new Refusal('order_not_refundable', { status: order.status })
  const { userId, totalPrice: amount } = order
  // The clock of the server that settled the payment may be ahead of this server's clock.
  const refundedAt = now < order.paidAt ? order.paidAt : now
  const wallet = await points.lock(tx, userId)
  if (!wallet) throw new Error(`User ${userId} has paid order ${orderId}, but has no wallet.`)
  const balance = await points.refund(tx, wallet, { orderId, amount, now: refundedAt })
  await queries.insertRefund(tx, { orderId, amount, refundedAt }).execute()
  await orders.markRefunded(tx, orderId, refundedAt)
  const items = await stock.returnStock(tx, order.items, order.paidAt)
  const payload = { userId, orderId, amount, balance, items }
  await insertEvent(tx, { type: 'order.refunded', payload, at: refundedAt, traceparent })
  return { orderId, amount, refundedAt, replayed: false }
}
