import type { OrderStatus, Reader, Tx } from '@pointwise/db'
import { insertEvent, type TraceContext } from '../outbox/events.ts'
import * as offers from '../products/offers.ts'
import * as stock from '../products/stock.ts'
import { Refusal } from '../refusals.ts'
import { toPage } from '../rpc/cursor.ts'
import type { Order } from './order-schemas.ts'
import * as queries from './queries.ts'

/** What a user orders: the products, and the prices that the user saw. */
export interface PlaceCall extends TraceContext {
  userId: number
  items: offers.PricedLine[]
  idempotencyKey: string
  now: Date
}

type OrderRow = Omit<Order, 'items'>
type LineRow = offers.QuotedLine & { orderId: number }

/** @throws Refusal order_not_found, also for another user's order */
export async function get(db: Reader, userId: number, orderId: number): Promise<Order> {
  const row = await queries
    .selectOrderOfUser(db, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(db, row)
}

/** A page of a user's orders, newest first. */
export async function list(
  db: Reader,
  page: { userId: number; status?: OrderStatus | undefined; cursor?: number | undefined; limit: number },
) {
  const { userId, status, cursor: before, limit } = page
  const rows = await queries.selectOrderPage(db, { userId, status, before, limit: limit + 1 }).execute()
  const { items, nextCursor } = toPage(rows, limit)
  return { items: await withItemsEach(db, items), nextCursor }
}

/**
 * Places an order that waits to be paid, once for each idempotency key. A repeat returns the order as it is now. No stock is
 * reserved.
 *
 * @throws Refusal idempotency_key_reused, product_not_found, price_changed, stock_insufficient
 */
export async function place(tx: Tx, call: PlaceCall): Promise<Order & { replayed: boolean }> {
  const { userId, idempotencyKey, items, now, traceparent } = call
  // The lock comes first: a repeat waits for an earlier attempt that is about to commit, instead of being refused.
  const row = await queries.lockOrderByKey(tx, userId, idempotencyKey).executeTakeFirst()
  if (row) {
    const earlier = await withItems(tx, row)
    if (!hasSameItems(earlier, items)) throw new Refusal('idempotency_key_reused')
    return { ...earlier, replayed: true }
  }
  const priced = priceOrder(offers.quote(await offers.offersFor(tx, items), items))
  await stock.requireStock(tx, priced.items)
  const draft = { ...priced, status: 'pending', createdAt: now, paidAt: null } as const
  const { insertId } = await queries.insertOrder(tx, { ...draft, userId, idempotencyKey }).executeTakeFirstOrThrow()
  const order = { id: Number(insertId), ...draft }
  await queries.insertLines(tx, order.id, order.items).execute()
  await insertEvent(tx, { ...orderPlacedEvent(userId, order), traceparent })
  return { ...order, replayed: false }
}

/** The amount of each line and the total of an order. */
export function priceOrder(lines: offers.QuotedLine[]): Pick<Order, 'items' | 'totalPrice'> {
  const items = lines.map(withAmount)
  return { items, totalPrice: items.reduce((total, { amount }) => total + amount, 0) }
}

/** The event of an order that was just placed. */
export function orderPlacedEvent(userId: number, { id: orderId, totalPrice, createdAt }: OrderRow) {
  return { type: 'order.placed', payload: { userId, orderId, totalPrice }, at: createdAt } as const
}

/**
 * Locks an order of any user until the transaction ends.
 *
 * @throws Refusal order_not_found
 */
export async function lock(tx: Tx, orderId: number): Promise<Order & { userId: number }> {
  const row = await queries
    .lockOrder(tx, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(tx, row)
}

/** Marks a locked, paid order as refunded. */
export async function markRefunded(tx: Tx, orderId: number, now: Date): Promise<void> {
  await queries.updateStatus(tx, orderId, { status: 'refunded', updated_at: now }).execute()
}

interface CancelCall extends TraceContext {
  userId: number
  orderId: number
  now: Date
}

/**
 * Cancels an order that is not paid.
 *
 * @throws Refusal order_not_found, order_not_cancellable
 */
export async function cancel(tx: Tx, call: CancelCall): Promise<Order> {
  return cancelLocked(tx, call, await lockOwn(tx, call))
}

/**
 * Cancels an order whose first cancellation lost the answer of its COMMIT. That call had locked a pending order, so an order
 * that is cancelled now is its success.
 *
 * @throws Refusal order_not_found, order_not_cancellable
 */
export async function resolveLostCancel(tx: Tx, call: CancelCall): Promise<Order> {
  const order = await lockOwn(tx, call)
  return order.status === 'cancelled' ? order : cancelLocked(tx, call, order)
}

async function lockOwn(tx: Tx, { userId, orderId }: CancelCall): Promise<Order> {
  const row = await queries
    .lockOrderOfUser(tx, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(tx, row)
}

async function cancelLocked(tx: Tx, call: CancelCall, order: Order): Promise<Order> {
  const { userId, orderId, now, traceparent } = call
  if (order.status !== 'pending') throw new Refusal('order_not_cancellable', { status: order.status })
  await queries.updateStatus(tx, orderId, { status: 'cancelled', updated_at: now }).execute()
  await insertEvent(tx, { type: 'order.cancelled', payload: { userId, orderId }, at: now, traceparent })
  return { ...order, status: 'cancelled' }
}

async function withItems<Row extends OrderRow>(db: Reader, row: Row): Promise<Row & Pick<Order, 'items'>> {
  const [order] = await withItemsEach(db, [row])
  if (!order) throw new Error(`The items of order ${row.id} were read, but the order was not returned.`)
  return order
}

async function withItemsEach<Row extends OrderRow>(db: Reader, rows: Row[]) {
  if (rows.length === 0) return []
  const lines = await queries
    .selectLines(
      db,
      rows.map((row) => row.id),
    )
    .execute()
  return toOrders(rows, lines)
}

/** Orders from the rows of `orders` and of `order_products`. */
export function toOrders<Row extends OrderRow>(rows: Row[], lines: LineRow[]): (Row & Pick<Order, 'items'>)[] {
  const linesByOrder = Map.groupBy(lines, (line) => line.orderId)
  return rows.map((row) => ({
    ...row,
    items: (linesByOrder.get(row.id) ?? []).map(({ orderId: _, ...line }) => withAmount(line)),
  }))
}

function withAmount<L extends offers.PricedLine>(line: L): L & { amount: number } {
  return { ...line, amount: line.price * line.quantity }
}

/** Whether an order has exactly these items, in any sequence. */
export function hasSameItems(order: Order, items: offers.PricedLine[]): boolean {
  const itemsByProduct = new Map(items.map((item) => [item.productId, item]))
  return (
    order.items.length === items.length &&
    order.items.every(({ productId, price, quantity }) => {
      const item = itemsByProduct.get(productId)
      return item?.price === price && item.quantity === quantity
    })
  )
}
