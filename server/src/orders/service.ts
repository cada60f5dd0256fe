import type { OrderStatus, Reader, Tx } from '@pointwise/db'
import { insertEvent } from '../outbox/events.ts'
import * as sales from '../products/stock.ts'
import { Refusal } from '../refusals.ts'
import { toPage } from '../rpc/cursor.ts'
import * as queries from './queries.ts'

// For settlements, which read and write many orders at once.
export {
  insertLines,
  insertOrders,
  lockOrders,
  selectLines,
  selectOrdersByKeys,
  selectStatuses,
  updatePaid,
} from './queries.ts'

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

export type OrderRow = Omit<Order, 'items'> & { userId: number }

/** @throws Refusal order_not_found, also for another user's order */
export async function get(db: Reader, userId: number, orderId: number): Promise<Order> {
  const row = await queries
    .selectOrderOfUser(db, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(db, row)
}

/** A user's orders, newest first. */
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
 * Places an order that waits to be paid, once for each idempotency key: a repeat returns the order as it is now.
 * Nothing is reserved.
 *
 * @throws Refusal idempotency_key_reused, product_not_found, price_changed, stock_insufficient
 */
export async function place(tx: Tx, call: PlaceCall): Promise<Order & { replayed: boolean }> {
  const row = await queries.selectOrderByKey(tx, call.userId, call.idempotencyKey).executeTakeFirst()
  if (row) {
    const earlier = await withItems(tx, row)
    if (!hasSameItems(earlier, call.items)) throw new Refusal('idempotency_key_reused')
    return { ...earlier, replayed: true }
  }
  const draft = priceOrder(sales.quote(await sales.offersFor(tx, call.items), call.items))
  await sales.requireStock(tx, draft.items)
  const order = await insert(tx, call, draft)
  await insertEvent(tx, orderPlacedEvent(call.userId, order))
  return { ...order, replayed: false }
}

/** What an order will say: the lines with their amounts, and their sum. */
export function priceOrder(lines: sales.QuotedLine[]): Pick<Order, 'items' | 'totalPrice'> {
  const items = lines.map(withAmount)
  return { items, totalPrice: items.reduce((total, { amount }) => total + amount, 0) }
}

async function insert(
  tx: Tx,
  { userId, idempotencyKey, now }: PlaceCall,
  draft: Pick<Order, 'items' | 'totalPrice'>,
): Promise<Order> {
  const order = { ...draft, status: 'pending', createdAt: now, paidAt: null } as const
  const { insertId } = await queries.insertOrders(tx, [{ ...order, userId, idempotencyKey }]).executeTakeFirstOrThrow()
  const id = Number(insertId)
  await queries
    .insertLines(
      tx,
      draft.items.map((item) => ({ ...item, orderId: id })),
    )
    .execute()
  return { id, ...order }
}

/** The event of an order that was just created. */
export function orderPlacedEvent(userId: number, { id: orderId, totalPrice, createdAt }: Omit<Order, 'items'>) {
  return { type: 'order.placed', payload: { userId, orderId, totalPrice }, at: createdAt } as const
}

/**
 * Locks anybody's order until the transaction ends.
 *
 * @throws Refusal order_not_found
 */
export async function lock(tx: Tx, orderId: number): Promise<Order & { userId: number }> {
  const row = await queries
    .lockOrders(tx, [orderId])
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return { ...(await withItems(tx, row)), userId: row.userId }
}

/** Of a locked, paid order. */
export async function markRefunded(tx: Tx, orderId: number, now: Date): Promise<void> {
  await queries.updateStatus(tx, orderId, { status: 'refunded', updated_at: now }).execute()
}

interface CancelCall {
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
 * The same, of a call that had locked a pending order before its COMMIT was lost: that the order is cancelled now is its
 * success.
 *
 * @throws Refusal order_not_cancellable
 */
export async function readBackCancel(tx: Tx, call: CancelCall): Promise<Order> {
  const order = await lockOwn(tx, call)
  return order.status === 'cancelled' ? order : cancelLocked(tx, call, order)
}

async function lockOwn(tx: Tx, { userId, orderId }: CancelCall): Promise<Order> {
  const row = await queries
    .lockOrderOfUser(tx, userId, orderId)
    .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
  return withItems(tx, row)
}

async function cancelLocked(tx: Tx, { userId, orderId, now }: CancelCall, order: Order): Promise<Order> {
  if (order.status !== 'pending') throw new Refusal('order_not_cancellable', { status: order.status })
  await queries.updateStatus(tx, orderId, { status: 'cancelled', updated_at: now }).execute()
  await insertEvent(tx, { type: 'order.cancelled', payload: { userId, orderId }, at: now })
  return { ...order, status: 'cancelled' }
}

async function withItems(db: Reader, row: OrderRow): Promise<Order> {
  const [order] = await withItemsEach(db, [row])
  if (!order) throw new Error(`Order ${row.id} was lost while its items were read.`)
  return order
}

async function withItemsEach(db: Reader, rows: OrderRow[]): Promise<Order[]> {
  if (rows.length === 0) return []
  const lines = await queries
    .selectLines(
      db,
      rows.map((row) => row.id),
    )
    .execute()
  return toOrders(rows, lines)
}

type LineRow = sales.QuotedLine & { orderId: number }

/** Orders of their rows and the rows of their lines. */
export function toOrders(rows: OrderRow[], lines: LineRow[]): Order[] {
  const linesOf = Map.groupBy(lines, (line) => line.orderId)
  return rows.map(({ id, status, totalPrice, createdAt, paidAt }) => ({
    id,
    status,
    items: (linesOf.get(id) ?? []).map(({ orderId: _, ...line }) => withAmount(line)),
    totalPrice,
    createdAt,
    paidAt,
  }))
}

function withAmount<L extends sales.PricedLine>(line: L): L & { amount: number } {
  return { ...line, amount: line.price * line.quantity }
}

/** Whether the items are those of the order, in any sequence. */
export function hasSameItems(order: Order, items: sales.PricedLine[]): boolean {
  const itemOf = new Map(items.map((item) => [item.productId, item]))
  return (
    order.items.length === items.length &&
    order.items.every(({ productId, price, quantity }) => {
      const item = itemOf.get(productId)
      return item?.price === price && item.quantity === quantity
    })
  )
}
