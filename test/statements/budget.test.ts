import type { LogEvent } from 'kysely'
import { expect, test } from 'vitest'
import { type Client, item, newKey, openShop, type Product, type Shop } from '../setup/shop.ts'
import { splitStatements } from '../setup/statements.ts'

/**
 * The maximum number of statements and round trips of each call, for any number of products or orders, when the server's
 * caches are filled. Raising a number is a decision.
 */
const BUDGET: Record<string, { statements: number; roundTrips: number }> = {
  'users.me': { statements: 1, roundTrips: 1 },
  'users.create': { statements: 5, roundTrips: 5 },
  'users.remove': { statements: 4, roundTrips: 4 },
  'stores.create': { statements: 4, roundTrips: 4 },
  'stores.list': { statements: 1, roundTrips: 1 },
  'products.list': { statements: 1, roundTrips: 1 },
  'products.list of a store': { statements: 2, roundTrips: 2 },
  'products.scroll': { statements: 1, roundTrips: 1 },
  'products.get': { statements: 1, roundTrips: 1 },
  'products.topSelling': { statements: 0, roundTrips: 0 },
  'products.trending': { statements: 0, roundTrips: 0 },
  'products.create': { statements: 7, roundTrips: 7 },
  'products.update': { statements: 6, roundTrips: 6 },
  'products.remove': { statements: 6, roundTrips: 6 },
  'products.restock': { statements: 8, roundTrips: 8 },
  'points.balance': { statements: 1, roundTrips: 1 },
  'points.charge': { statements: 8, roundTrips: 7 },
  'points.histories': { statements: 1, roundTrips: 1 },
  'orders.place': { statements: 8, roundTrips: 8 },
  'orders.checkout': { statements: 16, roundTrips: 6 },
  'orders.get': { statements: 2, roundTrips: 2 },
  'orders.list': { statements: 2, roundTrips: 2 },
  'orders.cancel': { statements: 6, roundTrips: 6 },
  'payments.pay': { statements: 15, roundTrips: 5 },
  'payments.get': { statements: 1, roundTrips: 1 },
  'payments.refund': { statements: 14, roundTrips: 12 },
}

test('No call exceeds its budget of statements and round trips', async () => {
  let statements = 0
  let roundTrips = 0
  const log = (event: LogEvent) => {
    statements += splitStatements(event).length
    roundTrips += 1
  }
  await using shop = await openShop({
    config: { rankingsTtlSeconds: 600 },
    userExistenceTtlSeconds: 600,
    database: { log },
  })
  const admin = await shop.admin()
  const { client } = await shop.givenUser({ points: 100_000 })
  const store = await shop.givenStore()
  const products: Product[] = []
  for (let index = 0; index < 25; index++) products.push(await shop.givenProduct({ storeId: store.id, stock: 50 }))
  const sent: typeof BUDGET = {}
  async function counted(name: string, call: () => Promise<unknown>): Promise<void> {
    statements = 0
    roundTrips = 0
    await call()
    sent[name] = { statements, roundTrips }
  }
  for (const [name, call] of Object.entries(callsOf({ shop, admin, client, products }, counted))) {
    await call()
    // A call that prepares something counts the part that matters itself.
    if (!(name in sent)) await counted(name, call)
  }
  expect(sent).toEqual(BUDGET)
})

interface Callers {
  shop: Shop
  admin: Client
  client: Client
  products: Product[]
}

/** A call of each procedure. A call that prepares something passes the part that matters to `counted`. */
function callsOf(
  { shop, admin, client, products }: Callers,
  counted: (name: string, call: () => Promise<unknown>) => Promise<void>,
): Record<string, () => Promise<unknown>> {
  const [cup] = products
  if (!cup) throw new Error('There must be at least one product.')
  const { storeId } = cup
  const items = products.map((product) => item(product))
  const place = () => client.orders.place.mutate({ items })
  return {
    'users.me': () => client.users.me.query(),
    'users.create': () => admin.users.create.mutate({ name: newKey() }),
    'users.remove': async () => {
      const { id } = await admin.users.create.mutate({ name: newKey() })
      return counted('users.remove', () => admin.users.remove.mutate({ userId: id }))
    },
    'stores.create': () => admin.stores.create.mutate({ name: newKey() }),
    'stores.list': () => client.stores.list.query(),
    'products.list': () => client.products.list.query(),
    'products.list of a store': () => client.products.list.query({ storeId }),
    'products.scroll': () => client.products.scroll.query(),
    'products.get': () => client.products.get.query({ productId: cup.id }),
    'products.topSelling': () => client.products.topSelling.query(),
    'products.trending': () => client.products.trending.query(),
    'products.create': () => admin.products.create.mutate({ storeId, name: 'Jug', price: 5, stock: 5 }),
    'products.update': () => admin.products.update.mutate({ productId: cup.id, name: 'Cup' }),
    'products.remove': async () => {
      const { id } = await shop.givenProduct({ storeId })
      return counted('products.remove', () => admin.products.remove.mutate({ productId: id }))
    },
    'products.restock': () => admin.products.restock.mutate({ productId: cup.id, quantity: 1 }),
    'points.balance': () => client.points.balance.query(),
    'points.charge': () => client.points.charge.mutate({ amount: 1 }),
    'points.histories': () => client.points.histories.query(),
    'orders.place': place,
    'orders.checkout': () => client.orders.checkout.mutate({ items }),
    'orders.get': async () => {
      const { id } = await place()
      return counted('orders.get', () => client.orders.get.query({ orderId: id }))
    },
    'orders.list': () => client.orders.list.query({ limit: 50 }),
    'orders.cancel': async () => {
      const { id } = await place()
      return counted('orders.cancel', () => client.orders.cancel.mutate({ orderId: id }))
    },
    'payments.pay': async () => {
      const { id } = await place()
      return counted('payments.pay', () => client.payments.pay.mutate({ orderId: id }))
    },
    'payments.get': async () => {
      const { order } = await client.orders.checkout.mutate({ items })
      return counted('payments.get', () => client.payments.get.query({ orderId: order.id }))
    },
    'payments.refund': async () => {
      const { order } = await client.orders.checkout.mutate({ items })
      return counted('payments.refund', () => admin.payments.refund.mutate({ orderId: order.id }))
    },
  }
}
