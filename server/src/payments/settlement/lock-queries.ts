import { forceIndex, type Reader, type Tx } from '@pointwise/db'

/*
 * All transactions lock rows in the same order, which prevents deadlocks. Rows are locked in the order of the scan, so the
 * statements that wait for locks force an index and read it in ascending order. `lockUsers`, `lockProducts` and `lockHours` are
 * used only with SKIP LOCKED and never wait. A batch sends them only for users whose wallet and for products whose stock it has
 * locked: otherwise the transaction that has that lock would wait for this batch.
 *
 * A statement that locks contains no subquery: a subquery reads rows as they were before the statement waited for its locks,
 * and Vitess drops the locks of such a statement.
 */

const ORDER = [
  'id',
  'user_id as userId',
  'status',
  'total_price as totalPrice',
  'created_at as createdAt',
  'paid_at as paidAt',
] as const

export function lockOrders(tx: Tx, orderIds: number[]) {
  return tx
    .selectFrom(forceIndex('orders', 'PRIMARY'))
    .select(ORDER)
    .where('id', 'in', orderIds)
    .orderBy('id')
    .forUpdate()
}

/** The orders that exist, locked by another transaction or not. */
export function selectOrderStatuses(db: Reader, orderIds: number[]) {
  return db.selectFrom('orders').select(['id', 'user_id as userId', 'status']).where('id', 'in', orderIds)
}

export function selectOrdersByKeys(db: Reader, keys: { userId: number; idempotencyKey: string }[]) {
  return db
    .selectFrom('orders')
    .select([...ORDER, 'idempotency_key as idempotencyKey'])
    .where((eb) =>
      eb.or(keys.map(({ userId, idempotencyKey }) => eb.and({ user_id: userId, idempotency_key: idempotencyKey }))),
    )
}

export function selectOrderLines(db: Reader, orderIds: number[]) {
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

export function lockWallets(tx: Tx, userIds: number[]) {
  return tx
    .selectFrom(forceIndex('points', 'points_user'))
    .select(['id', 'user_id as userId', 'point as balance'])
    .where('user_id', 'in', userIds)
    .orderBy('user_id')
    .forUpdate()
}

/** The users that are not removed. */
export function selectActiveUsers(db: Reader, userIds: number[]) {
  return db.selectFrom('users').select('id').where('deleted_at', 'is', null).where('id', 'in', userIds)
}

/** The rows that the foreign keys of orders and payments refer to. */
export function lockUsers(tx: Tx, userIds: number[]) {
  return tx.selectFrom('users').select('id as userId').where('id', 'in', userIds).orderBy('id').forUpdate()
}

/** The wallets that exist, locked by another transaction or not. */
export function selectWallets(db: Reader, userIds: number[]) {
  return db.selectFrom('points').select(['user_id as userId', 'point as balance']).where('user_id', 'in', userIds)
}

export function lockStock(tx: Tx, productIds: number[]) {
  return tx
    .selectFrom(forceIndex('stock', 'stock_product'))
    .select(['product_id as productId', 'stock'])
    .where('product_id', 'in', productIds)
    .orderBy('product_id')
    .forUpdate()
}

/** The stock that exists, locked by another transaction or not. */
export function selectStock(db: Reader, productIds: number[]) {
  return db.selectFrom('stock').select(['product_id as productId', 'stock']).where('product_id', 'in', productIds)
}

/** Names and prices of the products that are not removed. */
export function selectOffers(db: Reader, productIds: number[]) {
  return db
    .selectFrom('products')
    .select(['id', 'name', 'price'])
    .where('id', 'in', productIds)
    .where('deleted_at', 'is', null)
}

export function lockProducts(tx: Tx, productIds: number[]) {
  return tx.selectFrom('products').select('id').where('id', 'in', productIds).orderBy('id').forUpdate()
}

export function lockHours(tx: Tx, productIds: number[], hours: Date[]) {
  return tx
    .selectFrom('product_sales')
    .select('product_id as productId')
    .where('product_id', 'in', productIds)
    .where('hour', 'in', hours)
    .orderBy('product_id')
    .forUpdate()
}

/** The hourly sales that exist, locked by another transaction or not. */
export function selectHours(db: Reader, productIds: number[], hours: Date[]) {
  return db
    .selectFrom('product_sales')
    .select('product_id as productId')
    .where('product_id', 'in', productIds)
    .where('hour', 'in', hours)
}

/** The payments of orders, each with the balance right after it. */
export function selectPayments(db: Reader, orderIds: number[]) {
  return db
    .selectFrom('payments')
    .innerJoin('point_histories', 'point_histories.order_id', 'payments.order_id')
    .select(['payments.order_id as orderId', 'user_id as userId', 'amount', 'payments.created_at as paidAt', 'balance'])
    .where('payments.order_id', 'in', orderIds)
    .where('use_type', '=', 'USE')
}
