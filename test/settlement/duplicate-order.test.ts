import { expect, test } from 'vitest'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { eventsOf, holdLocks, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { item, newKey, openShop, type Shop } from '../setup/shop.ts'
import { settleTogether, summaryOf } from './batches.ts'

const now = new Date('2026-03-01T08:00:00Z')

/** A user's pending order of two products, with the requests that name it by its id and by its key. */
async function givenOrder(shop: Shop) {
  const [tea, mug] = [await shop.givenProduct({ price: 10 }), await shop.givenProduct({ price: 1 })]
  const { id: userId } = await shop.givenUser({ points: 100 })
  const cart = { items: [item(tea, 2), item(mug, 3)], idempotencyKey: newKey() }
  const { id: orderId } = await shop.asUser(userId).orders.place(cart)
  const pay: SettlementRequest = { kind: 'pay', userId, orderId, now }
  const checkout: SettlementRequest = { kind: 'checkout', userId, ...cart, now }
  return { userId, orderId, cart, products: [tea.id, mug.id], pay, checkout }
}

test.each(['pay first', 'checkout first'])(
  'An order that a batch names by its id and by its key is sold once: %s',
  async (order) => {
    await using shop = await openShop()
    const { products, pay, checkout } = await givenOrder(shop)

    if (order === 'pay first') {
      const paid = { balance: 77, replayed: false }
      expect(summaryOf(await settleTogether(shop, [pay, checkout]))).toEqual([paid, { ...paid, replayed: true }])
    } else {
      const answers = ['idempotency_key_reused', { balance: 77, replayed: false }]
      expect(summaryOf(await settleTogether(shop, [checkout, pay]))).toEqual(answers)
    }

    const [tea, mug] = await Promise.all(products.map((productId) => shop.client().products.get.query({ productId })))
    expect(tea).toMatchObject({ stock: 8, salesVolume: 2 })
    expect(mug).toMatchObject({ stock: 7, salesVolume: 3 })
    const [event] = await eventsOf(shop.db, 'order.paid')
    expect(event?.payload.items).toEqual([
      { productId: products[0], quantity: 2, stock: 8 },
      { productId: products[1], quantity: 3, stock: 7 },
    ])
  },
)

test('A paid order that a batch names by its id and by its key is replayed to both requests', async () => {
  await using shop = await openShop()
  const { pay, checkout } = await givenOrder(shop)
  await settleTogether(shop, [pay])

  const replayed = { balance: 77, replayed: true }
  expect(summaryOf(await settleTogether(shop, [pay, checkout]))).toEqual([replayed, replayed])
})

test('A paid order is replayed to its owner while another user names its id in the same batch', async () => {
  await using shop = await openShop()
  const { pay, checkout } = await givenOrder(shop)
  await settleTogether(shop, [pay])
  const { id: otherUser } = await shop.givenUser()

  const answers = await settleTogether(shop, [{ ...pay, userId: otherUser }, checkout])
  expect(summaryOf(answers)).toEqual(['order_not_found', { balance: 77, replayed: true }])
})

test('An order that is placed while the batch waits for locks is not paid without its own lock: service_busy', async () => {
  await using shop = await openShop({ database: { lockWaitSeconds: 10 } })
  const { userId, orderId: lastId, cart: other } = await givenOrder(shop)
  const cart = { ...other, idempotencyKey: newKey() }
  const pay = { kind: 'pay', userId, orderId: lastId + 1, now } as const
  const checkout = { kind: 'checkout', userId, ...cart, now } as const
  const waiting = `
    select 1 from information_schema.processlist
    where db = database() and command = 'Query' and info like 'select%from %points%for update%' and id <> connection_id()`
  let answers: ReturnType<typeof settleTogether>
  {
    await using _ = await holdLocks(shop.databaseUrl, `select * from points where user_id = ${userId} for update`)
    answers = settleTogether(shop, [pay, checkout])
    await eventually(() => run(shop.db, waiting)).toHaveLength(1)
    expect(await shop.asUser(userId).orders.place(cart)).toMatchObject({ id: pay.orderId })
  }

  expect(summaryOf(await answers)).toEqual(['service_busy', 'idempotency_key_reused'])
  expect(summaryOf(await settleTogether(shop, [pay]))).toEqual([{ balance: 77, replayed: false }])
})
