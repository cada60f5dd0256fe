import type { Db, OrderStatus, Tx } from '@pointwise/db'
import { toPage } from '../cursor.ts'
import { emit } from '../events.ts'
import * as sales from '../products/sales.ts'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

export interface OrderItem {
  productId: number
  productName: string
  price: number
  quantity: number
  amount: number
}

export interface Order {
  id: number
  status: OrderStatus
  /** By ascending product. */
  items: OrderItem[]
  totalPrice: number
  createdAt: Date
  paidAt: Date | null
}

/** What a user asks for: the products, and the prices they saw. */
export interface PlaceCall {
  userId: number
  items: sales.PricedLine[]
  idempotencyKey: string
  now: Date
}

type OrderRow = Omit<Order, 'items'> & { userId: number }

/** @throws Refusal order_not_found, also for another user's order */
export async function get(db: Db, userId: number, orderId: number): Promise<Order> {
  const row = await queries
    .selectOrderOfUser(db, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(db, row)
}

/** A user's orders, newest first. */
export async function list(
  db: Db,
  page: { userId: number; status?: OrderStatus | undefined; cursor?: number | undefined; limit: number },
) {
  const { userId, status, cursor: before, limit } = page
  const rows = await queries.selectOrderPage(db, { userId, status, before, limit: limit + 1 }).execute()
  const { items, nextCursor } = toPage(rows, limit)
  return { items: await withItemsEach(db, items), nextCursor }
}

/**
 * Places an order that waits to be paid, once for each idempotency key: a repeat returns the order as it is now.
 * Nothing is reserved.
 *
 * @throws Refusal idempotency_key_reused, product_not_found, price_changed, stock_insufficient
 */
export async function place(tx: Tx, call: PlaceCall): Promise<Order & { replayed: boolean }> {
  const earlier = await findByKey(tx, call)
  if (earlier) return { ...earlier, replayed: true }
  const lines = await sales.quote(tx, call.items)
  await sales.requireStock(tx, lines)
  const order = await insert(tx, call, lines)
  await emit(tx, placed(call.userId, order))
  return { ...order, replayed: false }
}

/**
 * The order that a key names, if there is one.
 *
 * @throws Refusal idempotency_key_reused when it names other items
 */
export async function findByKey(db: Db, { userId, idempotencyKey, items }: PlaceCall): Promise<Order | undefined> {
  const row = await queries.selectOrderByKey(db, userId, idempotencyKey).executeTakeFirst()
  if (!row) return undefined
  const order = await withItems(db, row)
  if (!asksFor(order, items)) throw new Refusal('idempotency_key_reused')
  return order
}

/**
 * Writes a pending order and its lines, at the prices the customer saw.
 *
 * @throws Refusal product_not_found, price_changed
 */
export async function create(tx: Tx, call: PlaceCall): Promise<Order> {
  return insert(tx, call, await sales.quote(tx, call.items))
}

async function insert(tx: Tx, { userId, idempotencyKey, now }: PlaceCall, lines: sales.QuotedLine[]): Promise<Order> {
  const items = lines.map(withAmount)
  const totalPrice = items.reduce((total, { amount }) => total + amount, 0)
  const { insertId } = await queries
    .insertOrder(tx, { userId, totalPrice, idempotencyKey, createdAt: now })
    .executeTakeFirstOrThrow()
  const id = Number(insertId)
  await queries.insertLines(tx, id, lines).execute()
  return { id, status: 'pending', items, totalPrice, createdAt: now, paidAt: null }
}

/** The event of an order that was just created. */
export function placed(userId: number, { id: orderId, totalPrice, createdAt }: Order) {
  return { type: 'order.placed', payload: { userId, orderId, totalPrice }, at: createdAt } as const
}

/**
 * Locks a user's order until the transaction ends.
 *
 * @throws Refusal order_not_found, also for another user's order
 */
export async function lockOfUser(tx: Tx, userId: number, orderId: number): Promise<Order> {
  const row = await queries
    .lockOrderOfUser(tx, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(tx, row)
}

/**
 * Locks anybody's order until the transaction ends.
 *
 * @throws Refusal order_not_found
 */
export async function lock(tx: Tx, orderId: number): Promise<Order & { userId: number }> {
  const row = await queries
    .lockOrder(tx, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return { ...(await withItems(tx, row)), userId: row.userId }
}

/** Of a locked, pending order. */
export async function markPaid(tx: Tx, order: Order, paidAt: Date): Promise<Order> {
  await queries.updateStatus(tx, order.id, { status: 'paid', paid_at: paidAt, updated_at: paidAt }).execute()
  return { ...order, status: 'paid', paidAt }
}

/** Of a locked, paid order. */
export async function markRefunded(tx: Tx, orderId: number, now: Date): Promise<void> {
  await queries.updateStatus(tx, orderId, { status: 'refunded', updated_at: now }).execute()
}

/**
 * Cancels an order that is not paid.
 *
 * @throws Refusal order_not_found, order_not_cancellable
 */
export async function cancel(
  tx: Tx,
  { userId, orderId, now }: { userId: number; orderId: number; now: Date },
): Promise<Order> {
  const order = await lockOfUser(tx, userId, orderId)
  if (order.status !== 'pending') throw new Refusal('order_not_cancellable', { status: order.status })
  await queries.updateStatus(tx, orderId, { status: 'cancelled', updated_at: now }).execute()
  await emit(tx, { type: 'order.cancelled', payload: { userId, orderId }, at: now })
  return { ...order, status: 'cancelled' }
}

async function withItems(db: Db, row: OrderRow): Promise<Order> {
  const [order] = await withItemsEach(db, [row])
  if (!order) throw new Error(`Order ${row.id} was lost while its items were read.`)
  return order
}

async function withItemsEach(db: Db, rows: OrderRow[]): Promise<Order[]> {
  if (rows.length === 0) return []
  const lines = await queries
    .selectLines(
      db,
      rows.map((row) => row.id),
    )
    .execute()
  const linesOf = Map.groupBy(lines, (line) => line.orderId)
  return rows.map(({ userId: _, ...row }) => ({
    ...row,
    items: (linesOf.get(row.id) ?? []).map(({ orderId: _, ...line }) => withAmount(line)),
  }))
}

function withAmount<L extends sales.PricedLine>(line: L): L & { amount: number } {
  return { ...line, amount: line.price * line.quantity }
}

/** Whether the items are those of the order, in any sequence. */
function asksFor(order: Order, items: sales.PricedLine[]): boolean {
  const itemOf = new Map(items.map((item) => [item.productId, item]))
  return (
    order.items.length === items.length &&
    order.items.every(({ productId, price, quantity }) => {
      const item = itemOf.get(productId)
      return item?.price === price && item.quantity === quantity
    })
  )
}
