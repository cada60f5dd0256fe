import { forceIndex, type OrderStatus, type Reader, type Tx } from '@pointwise/db'
import type { Order } from './order-schemas.ts'

const ORDER = [
  'id',
  'user_id as userId',
  'status',
  'total_price as totalPrice',
  'created_at as createdAt',
  'paid_at as paidAt',
] as const

function selectOrders(db: Reader) {
  return db.selectFrom('orders').select(ORDER)
}

/** The owner is part of the condition: another user's order is not found. */
export function selectOrderOfUser(db: Reader, userId: number, orderId: number) {
  return selectOrders(db).where('id', '=', orderId).where('user_id', '=', userId)
}

/** Waits for a transaction that has inserted the order and is not committed yet. Locks nothing if there is no such order. */
export function lockOrderByKey(tx: Tx, userId: number, idempotencyKey: string) {
  return selectOrders(tx).where('user_id', '=', userId).where('idempotency_key', '=', idempotencyKey).forUpdate()
}

export function lockOrderOfUser(tx: Tx, userId: number, orderId: number) {
  return selectOrderOfUser(tx, userId, orderId).forUpdate()
}

export function lockOrder(tx: Tx, orderId: number) {
  return selectOrders(tx).where('id', '=', orderId).forUpdate()
}

interface Page {
  userId: number
  status: OrderStatus | undefined
  before: number | undefined
  limit: number
}

/**
 * A page of orders, newest first. `before` is the last id of the previous page. The forced index has the order of the page, so
 * that only the page is read: MySQL prefers to read and sort all orders of a user who has some hundreds.
 */
export function selectOrderPage(db: Reader, { userId, status, before, limit }: Page) {
  let query = db
    .selectFrom(forceIndex('orders', status === undefined ? 'orders_of_user' : 'orders_of_user_by_status'))
    .select(ORDER)
    .where('user_id', '=', userId)
  if (status !== undefined) query = query.where('status', '=', status)
  if (before !== undefined) query = query.where('id', '<', before)
  return query.orderBy('id', 'desc').limit(limit)
}

export function selectLines(db: Reader, orderIds: number[]) {
  return db
    .selectFrom('order_products')
    .select([
      'order_id as orderId',
      'product_id as productId',
      'product_name as productName',
      'price',
      'count as quantity',
    ])
    .where('order_id', 'in', orderIds)
    .orderBy('order_id')
    .orderBy('product_id')
}

export function insertOrder(tx: Tx, order: Omit<Order, 'id' | 'items'> & { userId: number; idempotencyKey: string }) {
  return tx.insertInto('orders').values({
    user_id: order.userId,
    status: order.status,
    total_price: order.totalPrice,
    idempotency_key: order.idempotencyKey,
    paid_at: order.paidAt,
    created_at: order.createdAt,
    updated_at: order.createdAt,
  })
}

export function insertLines(tx: Tx, orderId: number, items: Order['items']) {
  return tx.insertInto('order_products').values(
    items.map(({ productId, productName, price, quantity }) => ({
      order_id: orderId,
      product_id: productId,
      product_name: productName,
      price,
      count: quantity,
    })),
  )
}

export function updateStatus(tx: Tx, orderId: number, change: { status: OrderStatus; updated_at: Date }) {
  return tx.updateTable('orders').set(change).where('id', '=', orderId)
}
