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

test('a user is told what happens to their orders and to their balance, and nobody else is', async () => {
  const [ada, ben] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser({ points: 1_000 })]
  const product = await shop.givenProduct({ price: 100, stock: 10 })
  using orders = await subscribe<OrderChange>((calls) => ada.client.orders.onChange.subscribe(undefined, calls))
  using points = await subscribe<PointsChange>((calls) => ada.client.points.onChange.subscribe({}, calls))
  using others = await subscribe<OrderChange>((calls) => ben.client.orders.onChange.subscribe(undefined, calls))

  await ada.client.points.charge.mutate({ amount: 50 })
  const placed = await ada.client.orders.place.mutate({ items: [item(product)] })
  await ada.client.orders.cancel.mutate({ orderId: placed.id })
  const { order } = await ada.client.orders.checkout.mutate({ items: [item(product, 3)] })
  await (await shop.admin()).payments.refund.mutate({ orderId: order.id })
  const own = await ben.client.orders.place.mutate({ items: [item(product)] })

  await orders.has(5)
  expect(orders.changes).toEqual([
    { type: 'placed', orderId: placed.id, totalPrice: 100, at: NOW },
    { type: 'cancelled', orderId: placed.id, at: NOW },
    { type: 'placed', orderId: order.id, totalPrice: 300, at: NOW },
    { type: 'paid', orderId: order.id, amount: 300, at: NOW },
    { type: 'refunded', orderId: order.id, amount: 300, at: NOW },
  ])
  await points.has(3)
  expect(points.changes).toEqual([
    { type: 'charged', amount: 50, balance: 1_050, orderId: null, at: NOW },
    { type: 'paid', amount: -300, balance: 750, orderId: order.id, at: NOW },
    { type: 'refunded', amount: 300, balance: 1_050, orderId: order.id, at: NOW },
  ])
  await others.has(1)
  expect(others.changes).toEqual([{ type: 'placed', orderId: own.id, totalPrice: 100, at: NOW }])
})

test('a change has the id of the row of the outbox that tells of it', async () => {
  const { client, id } = await shop.givenUser()
  using points = await subscribe<PointsChange>((calls) => client.points.onChange.subscribe(undefined, calls))
  await client.points.charge.mutate({ amount: 1 })
  await points.has(1)
  const rows = await run<{ id: number }>(shop.db, `select id from events where \`key\` = 'user:${id}'`)
  expect(points.ids).toEqual(rows.map((row) => row.id))
})

test('whoever watches products is told of their stock and their price, all that one event changes at once', async () => {
  const [tea, mug, other] = [
    await shop.givenProduct({ price: 100, stock: 10 }),
    await shop.givenProduct({ price: 200, stock: 20 }),
    await shop.givenProduct(),
  ]
  const { client } = await shop.givenUser({ points: 10_000 })
  const admin = await shop.admin()
  using stock = await subscribe<StockChange>((calls) =>
    shop.client().products.onStock.subscribe({ productIds: [mug.id, tea.id] }, calls),
  )

  const { order } = await client.orders.checkout.mutate({ items: [item(tea, 2), item(mug), item(other)] })
  await client.orders.checkout.mutate({ items: [item(other)] })
  await admin.payments.refund.mutate({ orderId: order.id })
  await admin.products.restock.mutate({ productId: tea.id, quantity: 5 })
  await admin.products.update.mutate({ productId: mug.id, price: 250 })
  await admin.products.remove.mutate({ productId: mug.id })

  await stock.has(5)
  const left = (productId: number, stock: number, price: number | null = null) => ({ productId, stock, price })
  expect(stock.changes).toEqual([
    { type: 'sold', products: [left(tea.id, 8), left(mug.id, 19)], at: NOW },
    { type: 'returned', products: [left(tea.id, 10), left(mug.id, 20)], at: NOW },
    { type: 'restocked', products: [left(tea.id, 15)], at: NOW },
    { type: 'changed', products: [left(mug.id, 20, 250)], at: NOW },
    { type: 'removed', products: [left(mug.id, 20, 250)], at: NOW },
  ])
})

test('a caller in the same process follows as well', async () => {
  const { id } = await shop.givenUser()
  const user = shop.asUser(id)
  const changes = await user.points.onChange()
  await user.points.charge({ amount: 7 })
  for await (const told of changes) {
    // In-process, tRPC leaves it in its envelope.
    expect(Object.values(told)[1]).toEqual({ type: 'charged', amount: 7, balance: 7, orderId: null, at: NOW })
    break
  }
})

test('`for await` is all it takes, and leaving the loop ends it', async () => {
  const { client } = await shop.givenUser()
  const told: number[] = []
  const charge = (amount: number) => client.points.charge.mutate({ amount })
  const changes = client.points.onChange.subscribe()
  const untilHeard = async () => {
    while (told.length === 0) await charge(100)
  }
  const hearing = untilHeard()
  for await (const { data } of changes) {
    if (told.push(data.amount) === 1) for (const amount of [1, 2, 3]) await charge(amount)
    if (data.amount === 3) break
  }
  await hearing
  expect(told.filter((amount) => amount < 100)).toEqual([1, 2, 3])
  expect(await changes.next()).toEqual({ value: undefined, done: true })
})
