import { randomUUID } from 'node:crypto'
import type { Pool } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { FILLED, FILLED_UNTIL } from './filled-database.ts'

type Call = [procedure: string, call: () => Promise<unknown>]

const ITEMS_MAX = 50
const cursorAfter = (id: number) => Buffer.from(`after:${id}`).toString('base64url')

/**
 * Calls every procedure on a filled database, in each way that changes its statements. Calls `onCall` with the procedure
 * before each call.
 */
export async function callEveryProcedure(db: Pool, onCall: (procedure: string) => void): Promise<void> {
  const now = () => FILLED_UNTIL
  const user = createCaller({ db, userId: 7, now })
  const admin = createCaller({ db, admin: true, now })
  const order = (...productIds: number[]) => ({
    items: productIds.map((productId) => ({ productId, quantity: 1, price: 100 })),
    idempotencyKey: randomUUID(),
  })
  const [charge, restock, small, large, paid] = [
    { amount: 1, idempotencyKey: randomUUID() },
    { productId: 3, quantity: 5, idempotencyKey: randomUUID() },
    order(4),
    order(...Array.from({ length: ITEMS_MAX }, (_, index) => 101 + index * 90).filter((id) => id % 50 !== 0)),
    order(11, 12),
  ]
  const page = { cursor: cursorAfter(FILLED.orders / 2), limit: 50 }
  const lastEventId = String(FILLED.orders - 500)
  let placed = { id: 0 }

  const calls: Call[] = [
    ...catalogueCalls(user, admin, restock),
    ['points.balance', () => user.points.balance()],
    ['points.charge', () => user.points.charge(charge)],
    ['points.charge', () => user.points.charge(charge)],
    ['points.histories', () => user.points.histories()],
    ['points.histories', () => user.points.histories(page)],
    ['orders.list', () => user.orders.list()],
    ['orders.list', () => user.orders.list(page)],
    ['orders.list', () => user.orders.list({ status: 'paid' })],
    ['orders.list', () => user.orders.list({ ...page, status: 'pending' })],
    ['orders.place', () => user.orders.place(small)],
    ['orders.place', () => user.orders.place(large)],
    ['orders.place', () => user.orders.place(large)],
    ['orders.checkout', () => user.orders.checkout({ ...small, idempotencyKey: randomUUID() })],
    ['orders.checkout', () => user.orders.checkout({ ...large, idempotencyKey: paid.idempotencyKey })],
    ['orders.checkout', () => user.orders.checkout({ ...large, idempotencyKey: paid.idempotencyKey })],
    ['orders.place', async () => (placed = await user.orders.place({ ...paid, idempotencyKey: randomUUID() }))],
    ['orders.get', () => user.orders.get({ orderId: placed.id })],
    ['payments.pay', () => user.payments.pay({ orderId: placed.id })],
    ['payments.pay', () => user.payments.pay({ orderId: placed.id })],
    ['payments.get', () => user.payments.get({ orderId: placed.id })],
    ['payments.refund', () => admin.payments.refund({ orderId: placed.id })],
    ['payments.refund', () => admin.payments.refund({ orderId: placed.id })],
    ['orders.place', async () => (placed = await user.orders.place(order(8)))],
    ['orders.cancel', () => user.orders.cancel({ orderId: placed.id })],
    ['orders.onChange', async () => first(await user.orders.onChange({ lastEventId }))],
    ['points.onChange', async () => first(await user.points.onChange({ lastEventId }))],
    [
      'products.onStock',
      async () => {
        const change = first(await user.products.onStock({ productIds: [3], lastEventId }))
        await admin.products.restock({ ...restock, idempotencyKey: randomUUID() })
        await change
      },
    ],
  ]
  for (const [procedure, call] of calls) {
    onCall(procedure)
    await call()
  }
}

type Caller = ReturnType<typeof createCaller>

/** The calls of `users`, `stores` and `products`. */
function catalogueCalls(user: Caller, admin: Caller, restock: Parameters<Caller['products']['restock']>[0]): Call[] {
  const cursor = cursorAfter(FILLED.products / 2)
  const storeId = 3
  return [
    ['users.me', () => user.users.me()],
    ['users.create', () => admin.users.create({ name: randomUUID() })],
    ['users.remove', () => admin.users.remove({ userId: FILLED.users })],
    ['stores.create', () => admin.stores.create({ name: randomUUID() })],
    ['stores.list', () => user.stores.list()],
    ['products.list', () => user.products.list()],
    ['products.list', () => user.products.list({ page: 3, storeId })],
    ['products.list', () => user.products.list({ page: 200 })],
    ['products.scroll', () => user.products.scroll()],
    ['products.scroll', () => user.products.scroll({ cursor })],
    ['products.scroll', () => user.products.scroll({ storeId })],
    ['products.scroll', () => user.products.scroll({ cursor, storeId })],
    ['products.get', () => user.products.get({ productId: 1 })],
    ['products.topSelling', () => user.products.topSelling()],
    ['products.trending', () => user.products.trending()],
    ['products.create', () => admin.products.create({ storeId, name: 'Mug', price: 100, stock: 5 })],
    ['products.update', () => admin.products.update({ productId: 1, name: 'Mug' })],
    ['products.remove', () => admin.products.remove({ productId: 2 })],
    ['products.restock', () => admin.products.restock(restock)],
    ['products.restock', () => admin.products.restock(restock)],
  ]
}

/** Reads a stream until its first change. */
async function first(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) return
}
