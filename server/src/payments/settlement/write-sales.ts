import { executeBatch, type Tx } from '@pointwise/db'
import * as orders from '../../orders/service.ts'
import { insertEvents } from '../../outbox/events.ts'
import * as stock from '../../products/stock.ts'
import type { PaymentWrite } from './decide.ts'
import type { PlaceholderOrderIds } from './placeholder-order-ids.ts'
import * as queries from './write-queries.ts'

/**
 * Writes the payments of a batch with one statement for each table. It takes one round trip, or two when the batch has new
 * orders: their ids must be known before anything refers to them. Assigns the ids of the new orders to `orderIds`, and returns the
 * payments with them.
 *
 * Rows of products have the most lock contention, so they are written last, just before the events.
 */
export async function writeSales(
  tx: Tx,
  writes: PaymentWrite[],
  orderIds: PlaceholderOrderIds,
): Promise<PaymentWrite[]> {
  const newOrders = writes.flatMap(({ idempotencyKey, ...write }) =>
    idempotencyKey === undefined ? [] : [{ ...write, idempotencyKey }],
  )
  if (newOrders.length > 0) {
    const { inserted } = await executeBatch(tx, { inserted: queries.insertOrders(tx, newOrders) })
    orderIds.assign(inserted.insertId)
  }
  const sales = writes.map((write) => ({ ...write, order: { ...write.order, id: orderIds.toRealId(write.order.id) } }))
  const placed = sales.filter(({ idempotencyKey }) => idempotencyKey !== undefined)
  const existing = sales.filter(({ idempotencyKey }) => idempotencyKey === undefined)
  await executeBatch(tx, {
    orderLines: placed.length > 0 ? queries.insertOrderLines(tx, placed) : undefined,
    orders: existing.length > 0 ? queries.updateOrdersPaid(tx, existing) : undefined,
    wallets: queries.updateWallets(tx, sales),
    histories: queries.insertHistories(tx, sales),
    payments: queries.insertPayments(tx, sales),
    ...stock.saleStatements(
      tx,
      sales.flatMap(({ items, paidAt }) => items.map((item) => ({ ...item, soldAt: paidAt }))),
    ),
    events: insertEvents(tx, sales.flatMap(eventsOf)),
  })
  return sales
}

function eventsOf({ userId, order, idempotencyKey, balance, items, paidAt: at, traceparent }: PaymentWrite) {
  const { id: orderId, totalPrice: amount } = order
  const paid = { type: 'order.paid', payload: { userId, orderId, amount, balance, items }, at, traceparent } as const
  return idempotencyKey === undefined ? [paid] : [{ ...orders.orderPlacedEvent(userId, order), traceparent }, paid]
}
