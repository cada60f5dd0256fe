import { type Db, forceIndex, type OrderStatus, type Tx } from '@pointwise/db'

const ORDER = [
  'id',
  'user_id as userId',
  'status',
  'total_price as totalPrice',
  'created_at as createdAt',
  'paid_at as paidAt',
] as const

function selectOrders(db: Db) {
  return db.selectFrom('orders').select(ORDER)
}

/** Ownership is part of the question: another user's order is not found. */
export function selectOrderOfUser(db: Db, userId: number, orderId: number) {
  return selectOrders(db).where('id', '=', orderId).where('user_id', '=', userId)
}

export function selectOrderByKey(db: Db, userId: number, idempotencyKey: string) {
  return selectOrders(db).where('user_id', '=', userId).where('idempotency_key', '=', idempotencyKey)
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
 * Newest first; `before` is the id of the last row already seen. The index has the page's order, so that only the page is
 * read; MySQL would rather read and sort all orders of a user who has some hundreds.
 */
export function selectOrderPage(db: Db, { userId, status, before, limit }: Page) {
  return db
    .selectFrom(forceIndex('orders', status === undefined ? 'orders_of_user' : 'orders_of_user_by_status'))
    .select(ORDER)
    .where('user_id', '=', userId)
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'pending'))
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
    .orderBy('id', 'desc')
    .limit(limit)
}

export function selectLines(db: Db, orderIds: number[]) {
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
  totalPrice: number
  idempotencyKey: string
  createdAt: Date
}

export function insertOrder(tx: Tx, order: NewOrder) {
  return tx.insertInto('orders').values({
    user_id: order.userId,
    status: 'pending',
    total_price: order.totalPrice,
    idempotency_key: order.idempotencyKey,
    paid_at: null,
    created_at: order.createdAt,
    updated_at: order.createdAt,
  })
}

interface NewLine {
  productId: number
  productName: string
  price: number
  quantity: number
}

export function insertLines(tx: Tx, orderId: number, lines: NewLine[]) {
  return tx.insertInto('order_products').values(
    lines.map((line) => ({
      order_id: orderId,
      product_id: line.productId,
      product_name: line.productName,
      price: line.price,
      count: line.quantity,
    })),
  )
}

export function updateStatus(
  tx: Tx,
  orderId: number,
  change: { status: OrderStatus; paid_at?: Date; updated_at: Date },
) {
  return tx.updateTable('orders').set(change).where('id', '=', orderId)
}
