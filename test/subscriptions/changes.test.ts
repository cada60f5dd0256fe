import type { OrderChange, PointsChange, StockChange } from '@pointwise/client-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'

const NOW = new Date('2026-03-01T08:00:00.123Z')

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ now: () => NOW })
})
afterAll(() => shop[Symbol.asyncDispose]())

test('a user receives the changes of their own orders and balance, and of no others', async () => {
  const [ada, ben] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser({ points: 1_000 })]
  const product = await shop.givenProduct({ price: 100, stock: 10 })
  using orders = await subscribe<OrderChange>((callbacks) => ada.client.orders.onChange.subscribe(undefined, callbacks))
  using points = await subscribe<PointsChange>((callbacks) => ada.client.points.onChange.subscribe({}, callbacks))
  using others = await subscribe<OrderChange>((callbacks) => ben.client.orders.onChange.subscribe(undefined, callbacks))

  await ada.client.points.charge.mutate({ amount: 50 })
  const placed = await ada.client.orders.place.mutate({ items: [item(product)] })
  await ada.client.orders.cancel.mutate({ orderId: placed.id })
  const { order } = await ada.client.orders.checkout.mutate({ items: [item(product, 3)] })
  await (await shop.admin()).payments.refund.mutate({ orderId: order.id })
  const ordered = await ben.client.orders.place.mutate({ items: [item(product)] })

  await orders.received(5)
  expect(orders.changes).toEqual([
    { type: 'placed', orderId: placed.id, totalPrice: 100, at: NOW },
    { type: 'cancelled', orderId: placed.id, at: NOW },
    { type: 'placed', orderId: order.id, totalPrice: 300, at: NOW },
    { type: 'paid', orderId: order.id, amount: 300, at: NOW },
    { type: 'refunded', orderId: order.id, amount: 300, at: NOW },
  ])
  await points.received(3)
  expect(points.changes).toEqual([
    { type: 'charged', amount: 50, balance: 1_050, orderId: null, at: NOW },
    { type: 'paid', amount: -300, balance: 750, orderId: order.id, at: NOW },
    { type: 'refunded', amount: 300, balance: 1_050, orderId: order.id, at: NOW },
  ])
  await others.received(1)
  expect(others.changes).toEqual([{ type: 'placed', orderId: ordered.id, totalPrice: 100, at: NOW }])
})

test('a change has the id of its row in the outbox', async () => {
  const { client, id } = await shop.givenUser()
  using points = await subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))
  await client.points.charge.mutate({ amount: 1 })
  await points.received(1)
  const rows = await run<{ id: number }>(shop.db, `select id from events where \`key\` = 'user:${id}'`)
  expect(points.ids).toEqual(rows.map((row) => row.id))
})

test('a stock subscription receives stock and price of the requested products, one change per event', async () => {
  const [tea, mug, other] = [
    await shop.givenProduct({ price: 100, stock: 10 }),
    await shop.givenProduct({ price: 200, stock: 20 }),
    await shop.givenProduct(),
  ]
  const { client } = await shop.givenUser({ points: 10_000 })
  const admin = await shop.admin()
  using stock = await subscribe<StockChange>((callbacks) =>
    shop.client().products.onStock.subscribe({ productIds: [mug.id, tea.id] }, callbacks),
  )

  const { order } = await client.orders.checkout.mutate({ items: [item(tea, 2), item(mug), item(other)] })
  await client.orders.checkout.mutate({ items: [item(other)] })
  await admin.payments.refund.mutate({ orderId: order.id })
  await admin.products.restock.mutate({ productId: tea.id, quantity: 5 })
  await admin.products.update.mutate({ productId: mug.id, price: 250 })
  await admin.products.remove.mutate({ productId: mug.id })

  await stock.received(5)
  const product = (productId: number, stock: number, price: number | null = null) => ({ productId, stock, price })
  expect(stock.changes).toEqual([
    { type: 'sold', products: [product(tea.id, 8), product(mug.id, 19)], at: NOW },
    { type: 'returned', products: [product(tea.id, 10), product(mug.id, 20)], at: NOW },
    { type: 'restocked', products: [product(tea.id, 15)], at: NOW },
    { type: 'changed', products: [product(mug.id, 20, 250)], at: NOW },
    { type: 'removed', products: [product(mug.id, 20, 250)], at: NOW },
  ])
})

test('a caller in the same process can subscribe', async () => {
  const { id } = await shop.givenUser()
  const user = shop.asUser(id)
  const changes = await user.points.onChange()
  await user.points.charge({ amount: 7 })
  for await (const envelope of changes) {
    // An in-process call of tRPC returns the tracked envelope: id, change and a symbol.
    expect(Object.values(envelope)[1]).toEqual({ type: 'charged', amount: 7, balance: 7, orderId: null, at: NOW })
    break
  }
})

test('a `for await` loop receives the changes in order, and leaving the loop ends the subscription', async () => {
  const { client } = await shop.givenUser()
  const amounts: number[] = []
  const charge = (amount: number) => client.points.charge.mutate({ amount })
  const changes = client.points.onChange.subscribe()
  const chargeUntilReceived = async () => {
    while (amounts.length === 0) await charge(100)
  }
  const connecting = chargeUntilReceived()
  for await (const { data } of changes) {
    if (amounts.push(data.amount) === 1) for (const amount of [1, 2, 3]) await charge(amount)
    if (data.amount === 3) break
  }
  await connecting
  expect(amounts.filter((amount) => amount < 100)).toEqual([1, 2, 3])
  expect(await changes.next()).toEqual({ value: undefined, done: true })
})
