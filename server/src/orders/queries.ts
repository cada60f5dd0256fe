import { caseWhen, forceIndex, type OrderStatus, type Reader, type Tx } from '@pointwise/db'

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

/** Ownership is part of the question: another user's order is not found. */
export function selectOrderOfUser(db: Reader, userId: number, orderId: number) {
  return selectOrders(db).where('id', '=', orderId).where('user_id', '=', userId)
}

export function selectOrderByKey(db: Reader, userId: number, idempotencyKey: string) {
  return selectOrders(db).where('user_id', '=', userId).where('idempotency_key', '=', idempotencyKey)
}

export function lockOrderOfUser(tx: Tx, userId: number, orderId: number) {
  return selectOrderOfUser(tx, userId, orderId).forUpdate()
}

/** Of the orders that there are, locked or not. */
export function selectStatuses(db: Reader, orderIds: number[]) {
  return db.selectFrom('orders').select(['id', 'user_id as userId', 'status']).where('id', 'in', orderIds)
}

/** Locks orders in ascending order of id: the index is forced, because rows are locked in the order of the scan. */
export function lockOrders(tx: Tx, orderIds: number[]) {
  return tx
    .selectFrom(forceIndex('orders', 'PRIMARY'))
    .select(ORDER)
    .where('id', 'in', orderIds)
    .orderBy('id')
    .forUpdate()
}

interface OrderKey {
  userId: number
  idempotencyKey: string
}

export function selectOrdersByKeys(db: Reader, keys: OrderKey[]) {
  return selectOrders(db)
    .select('idempotency_key as idempotencyKey')
    .where((eb) =>
      eb.or(keys.map(({ userId, idempotencyKey }) => eb.and({ user_id: userId, idempotency_key: idempotencyKey }))),
    )
}

interface Page {
  userId: number
  status: OrderStatus | undefined
  before: number | undefined
  limit: number
}

/**
 * Newest first; `before` is the id of the last row already seen. The index has the page's order, so that only the page is
 * read; MySQL would rather read and sort all orders of a user who has some hundreds.
 */
export function selectOrderPage(db: Reader, { userId, status, before, limit }: Page) {
  return db
    .selectFrom(forceIndex('orders', status === undefined ? 'orders_of_user' : 'orders_of_user_by_status'))
    .select(ORDER)
    .where('user_id', '=', userId)
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'pending'))
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
    .orderBy('id', 'desc')
    .limit(limit)
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

interface NewOrder {
  userId: number
  status: OrderStatus
  totalPrice: number
  idempotencyKey: string
  createdAt: Date
  paidAt: Date | null
}

/** Their ids follow each other, from the `insertId` on. */
export function insertOrders(tx: Tx, orders: NewOrder[]) {
  return tx.insertInto('orders').values(
    orders.map((order) => ({
      user_id: order.userId,
      status: order.status,
      total_price: order.totalPrice,
      idempotency_key: order.idempotencyKey,
      paid_at: order.paidAt,
      created_at: order.createdAt,
      updated_at: order.createdAt,
    })),
  )
}

interface NewLine {
  orderId: number
  productId: number
  productName: string
  price: number
  quantity: number
}

export function insertLines(tx: Tx, lines: NewLine[]) {
  return tx.insertInto('order_products').values(
    lines.map((line) => ({
      order_id: line.orderId,
      product_id: line.productId,
      product_name: line.productName,
      price: line.price,
      count: line.quantity,
    })),
  )
}

export function updateStatus(tx: Tx, orderId: number, change: { status: OrderStatus; updated_at: Date }) {
  return tx.updateTable('orders').set(change).where('id', '=', orderId)
}

/** Assignments are made from left to right, so that `updated_at` is the new `paid_at`. */
export function updatePaid(tx: Tx, orders: { id: number; paidAt: Date }[]) {
  const times = caseWhen(
    'id',
    orders.map(({ id, paidAt }) => [id, paidAt] as const),
  )
  return tx
    .updateTable('orders')
    .set((eb) => ({ status: 'paid', paid_at: times, updated_at: eb.ref('paid_at').$notNull() }))
    .where(
      'id',
      'in',
      orders.map(({ id }) => id),
    )
}
