import { createClient, type OrderChange, type PointsChange, type StockChange } from '@pointwise/client-sdk'
import { TRPCClientError } from '@trpc/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { type GivenUser, item, openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'

const PAYMENTS = 500
const CUTS = 20
const AT_ONCE = 10
const waits = { interval: 1, timeout: 20_000 }

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

const idsOf = async ({ id }: GivenUser, types: string) =>
  (
    await run<{ id: number }>(
      shop.db,
      `select id from events where \`key\` = 'user:${id}' and type like '${types}' order by id`,
    )
  ).map((row) => row.id)

const errorOf = (changes: AsyncIterableIterator<unknown>) =>
  changes.next().then(
    () => expect.fail('It was followed.'),
    (error) => error,
  )

test(`cut ${CUTS} times during ${PAYMENTS} payments, a client is told of each in order, once`, async () => {
  const user = await shop.givenUser({ points: PAYMENTS })
  const other = await shop.givenUser({ points: PAYMENTS })
  const product = await shop.givenProduct({ price: 1, stock: 2 * PAYMENTS })
  await using cable = await startTcpProxy(shop.url)
  const client = shop.client({ token: user.token })
  const far = { orders: 0, stock: 0 }
  const overCable = createClient({ url: cable.url, token: user.token })
  using orders = await subscribe<OrderChange>((calls) => overCable.orders.onChange.subscribe(undefined, calls))
  using stock = await subscribe<StockChange>((calls) =>
    overCable.products.onStock.subscribe({ productIds: [product.id] }, calls),
  )

  let bought = 0
  let cuts = 0
  const buy = async () => {
    while (bought < PAYMENTS) {
      // As many between two cuts as between all others.
      await expect.poll(() => cuts, waits).toBeGreaterThanOrEqual(Math.floor((bought * CUTS) / PAYMENTS))
      if (bought++ >= PAYMENTS) return
      await client.orders.checkout.mutate({ items: [item(product)] })
      if (bought % 3 === 0) await other.client.orders.checkout.mutate({ items: [item(product)] })
    }
  }
  const cut = async () => {
    for (; cuts < CUTS; cuts++) {
      // It is cut in the middle of it: after it was told of some more since the last time.
      await expect.poll(() => orders.told.length, waits).toBeGreaterThan(far.orders)
      await expect.poll(() => stock.told.length, waits).toBeGreaterThan(far.stock)
      ;[far.orders, far.stock] = [orders.told.length, stock.told.length]
      expect(cable.disconnectAll()).toBeGreaterThan(0)
    }
  }
  await Promise.all([cut(), ...Array.from({ length: AT_ONCE }, buy)])

  const wanted = await idsOf(user, 'order.%')
  expect(wanted).toHaveLength(2 * PAYMENTS)
  await orders.has(wanted.length)
  expect(orders.ids).toEqual(wanted)
  const paid = (await Promise.all([idsOf(user, '%.paid'), idsOf(other, '%.paid')])).flat().sort((a, b) => a - b)
  await stock.has(paid.length)
  expect(stock.ids).toEqual(paid)
  expect(stock.changes.map(({ products: [only] }) => only?.stock)).toEqual(
    paid.map((_, index) => 2 * PAYMENTS - 1 - index),
  )
  expect(orders.starts).toBeGreaterThanOrEqual(CUTS)
})

test('a client that is cut off before it was told anything misses nothing', async () => {
  const user = await shop.givenUser()
  await using cable = await startTcpProxy(shop.url)
  const back = Promise.withResolvers<void>()
  const given = [user.token]
  const token = async () => given.pop() ?? back.promise.then(() => user.token)
  const { points } = createClient({ url: cable.url, token })
  using changes = await subscribe<PointsChange>((calls) => points.onChange.subscribe(undefined, calls))
  cable.disconnectAll()
  await user.client.points.charge.mutate({ amount: 7 })
  back.resolve()
  await changes.has(1)
  expect(changes.changes).toMatchObject([{ amount: 7 }])
})

test('with an old id all that came after it is told, and then what comes', async () => {
  const user = await shop.givenUser()
  for (let amount = 1; amount <= 5; amount++) await user.client.points.charge.mutate({ amount })
  const [, second] = await idsOf(user, '%')
  using points = await subscribe<PointsChange>((calls) =>
    user.client.points.onChange.subscribe({ lastEventId: String(second) }, calls),
  )
  await user.client.points.charge.mutate({ amount: 6 })
  await points.has(4)
  expect(points.changes.map(({ amount }) => amount)).toEqual([3, 4, 5, 6])
})

test('the stock of a product is told from an old id on, also of what others bought since', async () => {
  const { client } = await shop.givenUser({ points: 1_000 })
  const [tea, mug] = [await shop.givenProduct({ stock: 10 }), await shop.givenProduct({ stock: 10 })]
  const [{ id: lastEventId } = { id: 0 }] = await run<{ id: number }>(shop.db, 'select max(id) as id from events')
  await client.orders.checkout.mutate({ items: [item(tea), item(mug)] })
  await client.orders.checkout.mutate({ items: [item(mug)] })
  await shop.asAdmin().products.remove({ productId: tea.id })
  using stock = await subscribe<StockChange>((calls) =>
    shop.client().products.onStock.subscribe({ productIds: [tea.id], lastEventId: String(lastEventId) }, calls),
  )
  await stock.has(2)
  expect(stock.changes.map(({ type }) => type)).toEqual(['sold', 'removed'])
})

test('an id that no event has yet, or that is none, is invalid input', async () => {
  const { client } = await shop.givenUser({ points: 1 })
  for (const lastEventId of ['999999999999', '-1', 'abc', '1.5', ' 1', '', '9'.repeat(30)]) {
    const error = await errorOf(client.orders.onChange.subscribe({ lastEventId }))
    expect(error).toBeInstanceOf(TRPCClientError)
    expect((error as TRPCClientError<never>).data).toMatchObject({
      httpStatus: 400,
      refusal: null,
      issues: [{ path: ['lastEventId'] }],
    })
  }
})
