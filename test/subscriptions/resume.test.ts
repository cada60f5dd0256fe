import { createClient, type OrderChange, type PointsChange, type StockChange } from '@pointwise/client-sdk'
import { TRPCClientError } from '@trpc/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type GivenUser, item, openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'
import { inSuite } from '../setup/suite.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'

const PAYMENTS = inSuite(200, 500)
const DISCONNECTIONS = inSuite(8, 20)
const CONCURRENT_BUYERS = 10

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

const eventIdsOf = async ({ id }: GivenUser, types: string) =>
  (
    await run<{ id: number }>(
      shop.db,
      `select id from events where \`key\` = 'user:${id}' and type like '${types}' order by id`,
    )
  ).map((row) => row.id)

const errorOf = (changes: AsyncIterableIterator<unknown>) =>
  changes.next().then(
    () => expect.fail('The subscription delivered a change.'),
    (error) => error,
  )

const exactlyOnce = `A client that is disconnected ${DISCONNECTIONS} times during ${PAYMENTS} payments still receives every change exactly once and in order`
test(exactlyOnce, { timeout: 240_000 }, async () => {
  const user = await shop.givenUser({ points: PAYMENTS })
  const otherUser = await shop.givenUser({ points: PAYMENTS })
  const product = await shop.givenProduct({ price: 1, stock: 2 * PAYMENTS })
  await using proxy = await startTcpProxy(shop.url)
  const directClient = shop.client({ token: user.token })
  const proxiedClient = createClient({ url: proxy.url, token: user.token })
  using orders = await subscribe<OrderChange>((callbacks) =>
    proxiedClient.orders.onChange.subscribe(undefined, callbacks),
  )
  using stock = await subscribe<StockChange>((callbacks) =>
    proxiedClient.products.onStock.subscribe({ productIds: [product.id] }, callbacks),
  )

  let bought = 0
  let disconnections = 0
  const buy = async () => {
    while (bought < PAYMENTS) {
      // Spreads the payments evenly between the disconnections.
      await eventually(() => disconnections).toBeGreaterThanOrEqual(Math.floor((bought * DISCONNECTIONS) / PAYMENTS))
      if (bought++ >= PAYMENTS) return
      await directClient.orders.checkout.mutate({ items: [item(product)] })
      if (bought % 3 === 0) await otherUser.client.orders.checkout.mutate({ items: [item(product)] })
    }
  }
  const disconnect = async () => {
    const received = { orders: 0, stock: 0 }
    for (; disconnections < DISCONNECTIONS; disconnections++) {
      // Both streams have received changes since the last disconnection.
      await eventually(() => orders.ids.length).toBeGreaterThan(received.orders)
      await eventually(() => stock.ids.length).toBeGreaterThan(received.stock)
      ;[received.orders, received.stock] = [orders.ids.length, stock.ids.length]
      // What a closed connection had delivered may be read after it, before the client has connected again.
      await eventually(() => proxy.disconnectAll()).toBeGreaterThan(0)
    }
  }
  await Promise.all([disconnect(), ...Array.from({ length: CONCURRENT_BUYERS }, buy)])

  const expected = await eventIdsOf(user, 'order.%')
  expect(expected).toHaveLength(2 * PAYMENTS)
  await orders.received(expected.length)
  expect(orders.ids).toEqual(expected)
  const paid = (await Promise.all([eventIdsOf(user, '%.paid'), eventIdsOf(otherUser, '%.paid')]))
    .flat()
    .sort((a, b) => a - b)
  await stock.received(paid.length)
  expect(stock.ids).toEqual(paid)
  expect(stock.changes.map(({ products: [only] }) => only?.stock)).toEqual(
    paid.map((_, index) => 2 * PAYMENTS - 1 - index),
  )
  expect(orders.starts).toBeGreaterThanOrEqual(DISCONNECTIONS)
})

test('a client that is disconnected before its first change misses nothing', async () => {
  const user = await shop.givenUser()
  await using proxy = await startTcpProxy(shop.url)
  const mayReconnect = Promise.withResolvers<void>()
  const firstTokens = [user.token]
  const token = async () => firstTokens.pop() ?? mayReconnect.promise.then(() => user.token)
  const client = createClient({ url: proxy.url, token })
  using points = await subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))
  proxy.disconnectAll()
  await user.client.points.charge.mutate({ amount: 7 })
  mayReconnect.resolve()
  await points.received(1)
  expect(points.changes).toMatchObject([{ amount: 7 }])
})

test('a subscription from an old id receives the changes after it, and then new changes', async () => {
  const user = await shop.givenUser()
  for (let amount = 1; amount <= 5; amount++) await user.client.points.charge.mutate({ amount })
  const [, second] = await eventIdsOf(user, '%')
  using points = await subscribe<PointsChange>((callbacks) =>
    user.client.points.onChange.subscribe({ lastEventId: String(second) }, callbacks),
  )
  await user.client.points.charge.mutate({ amount: 6 })
  await points.received(4)
  expect(points.changes.map(({ amount }) => amount)).toEqual([3, 4, 5, 6])
})

test('a stock subscription from an old id receives what other users bought since, and no other product', async () => {
  const { client } = await shop.givenUser({ points: 1_000 })
  const [tea, mug] = [await shop.givenProduct({ stock: 10 }), await shop.givenProduct({ stock: 10 })]
  const [{ id: lastEventId } = { id: 0 }] = await run<{ id: number }>(shop.db, 'select max(id) as id from events')
  await client.orders.checkout.mutate({ items: [item(tea), item(mug)] })
  await client.orders.checkout.mutate({ items: [item(mug)] })
  await shop.asAdmin().products.remove({ productId: tea.id })
  using stock = await subscribe<StockChange>((callbacks) =>
    shop.client().products.onStock.subscribe({ productIds: [tea.id], lastEventId: String(lastEventId) }, callbacks),
  )
  await stock.received(2)
  expect(stock.changes.map(({ type }) => type)).toEqual(['sold', 'removed'])
})

test('an id that is malformed is invalid input', async () => {
  const { client } = await shop.givenUser({ points: 1 })
  for (const lastEventId of ['-1', 'abc', '1.5', ' 1', '', '9'.repeat(30)]) {
    const error = await errorOf(client.orders.onChange.subscribe({ lastEventId }))
    expect(error).toBeInstanceOf(TRPCClientError)
    expect((error as TRPCClientError<never>).data).toMatchObject({
      httpStatus: 400,
      refusal: null,
      issues: [{ path: ['lastEventId'], message: expect.stringMatching(/^lastEventId must be the id of/) }],
    })
  }
})
