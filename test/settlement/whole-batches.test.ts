import { expect, test } from 'vitest'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { eventsOf } from '../setup/database.ts'
import { fc } from '../setup/properties.ts'
import { item, newKey, openShop, type Shop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'
import { settleTogether, summaryOf } from './batches.ts'

const now = new Date('2026-03-01T08:00:00Z')
const NAMES = ['pending', 'payable', 'paid', 'cancelled', 'refunded', 'new'] as const

/** Which user names which of Ann's orders, by its id or by its key, and by how much the quantities differ. */
const generatedRequest = fc.record({
  kind: fc.constantFrom('pay', 'checkout'),
  by: fc.constantFrom('ann', 'ann', 'ann', 'ben'),
  name: fc.constantFrom(...NAMES),
  more: fc.constantFrom(0, 0, 0, 1),
})
type GeneratedRequest = typeof generatedRequest extends fc.Arbitrary<infer T> ? T : never

/** New products and users, equal each time: Ann has an order in every status, Ben has none. */
async function givenUsersAndOrders(shop: Shop) {
  const { id: storeId } = await shop.givenStore()
  const tea = await shop.givenProduct({ price: 3, stock: 9, storeId })
  const mug = await shop.givenProduct({ price: 2, stock: 14, storeId })
  const ids = { ann: (await shop.givenUser({ points: 40 })).id, ben: (await shop.givenUser({ points: 20 })).id }
  const ann = shop.asUser(ids.ann)
  const cartOf = new Map(
    NAMES.map((name, index) => [name, { items: [item(tea, 1 + index), item(mug)], idempotencyKey: newKey() }]),
  )
  const orderIdOf = new Map<string, number>()
  for (const [name, cart] of cartOf) {
    if (name === 'new') continue
    const { id: orderId } = await ann.orders.place(cart)
    orderIdOf.set(name, orderId)
    if (name === 'cancelled') await ann.orders.cancel({ orderId })
    if (name === 'paid' || name === 'refunded') await ann.payments.pay({ orderId })
    if (name === 'refunded') await shop.asAdmin().payments.refund({ orderId })
  }
  const requestOf = ({ kind, by, name, more }: GeneratedRequest): SettlementRequest => {
    const userId = ids[by]
    if (kind === 'pay') return { kind, userId, orderId: orderIdOf.get(name) ?? 1_000_000_000, now }
    const { items = [], idempotencyKey = newKey() } = cartOf.get(name) ?? {}
    return {
      kind,
      userId,
      items: items.map((item) => ({ ...item, quantity: item.quantity + more })),
      idempotencyKey,
      now,
    }
  }
  return { tea, mug, ids, requestOf }
}

/** Everything that the users can observe, without ids. */
async function observe(shop: Shop, { tea, mug, ids }: Awaited<ReturnType<typeof givenUsersAndOrders>>) {
  const of = async (userId: number) => {
    const caller = shop.asUser(userId)
    const { balance } = await caller.points.balance()
    const { items: histories } = await caller.points.histories()
    const { items: orders } = await caller.orders.list()
    const events = (await eventsOf(shop.db, 'order.paid')).filter(({ payload }) => payload.userId === userId)
    return {
      balance,
      histories: histories.map(({ type, amount, balance }) => ({ type, amount, balance })),
      orders: orders.map(({ status, items }) => ({ status, quantities: items.map(({ quantity }) => quantity) })),
      sold: events.map(({ payload: { amount, items } }) => ({
        amount,
        items: items.map(({ quantity, stock }: { quantity: number; stock: number }) => ({ quantity, stock })),
      })),
    }
  }
  const products = await Promise.all([tea, mug].map(({ id }) => shop.asAdmin().products.get({ productId: id })))
  return {
    ann: await of(ids.ann),
    ben: await of(ids.ben),
    products: products.map(({ stock, salesVolume }) => ({ stock, salesVolume })),
  }
}

test('A batch on the database gives the same results as its requests one by one', async () => {
  await using shop = await openShop()
  const codes = new Set<unknown>()
  await fc.assert(
    fc.asyncProperty(fc.array(generatedRequest, { minLength: 2, maxLength: 10 }), async (generated) => {
      const [whole, single] = [await givenUsersAndOrders(shop), await givenUsersAndOrders(shop)]
      shop.statements.length = 0
      const inOneBatch = summaryOf(await settleTogether(shop, generated.map(whole.requestOf)))
      // A batch that fails is settled one by one, which would prove nothing.
      expect(shop.statements.filter((sql) => sql === 'begin')).toHaveLength(1)
      const oneByOne = []
      for (const each of generated) oneByOne.push(...summaryOf(await settleTogether(shop, [single.requestOf(each)])))

      expect(inOneBatch).toEqual(oneByOne)
      expect(await observe(shop, whole)).toEqual(await observe(shop, single))
      for (const answer of inOneBatch) codes.add(typeof answer === 'string' ? answer : answer.replayed)
    }),
    { numRuns: inSuite(10, 50) },
  )
  expect([...codes].map(String).toSorted()).toEqual([
    'false',
    'idempotency_key_reused',
    'order_not_found',
    'order_not_payable',
    'points_insufficient',
    'stock_insufficient',
    'true',
  ])
})
