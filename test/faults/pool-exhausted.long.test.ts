import { connect } from '@pointwise/db'
import { expect, test } from 'vitest'
import { holdConnection } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { get, post } from '../setup/raw-http.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { fingerprint } from './faulty-shop.ts'

const CONNECTIONS = 10
const ACQUIRE_TIMEOUT_MS = 1_500
const REQUESTS = 500
const WITHIN_MS = 2_500

/** As measured by the server, whose process the 500 clients share. */
const slowestOf = ({ log }: Shop) => Math.max(...log.map((line) => JSON.parse(line).responseTime ?? 0))

test('While every connection is in use, 500 calls are refused with service_busy within 2.5 seconds, and calls succeed within a second of its release', async () => {
  await using shop = await openShop({ database: { connections: CONNECTIONS, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS } })
  const users = await shop.givenUsers(20, { points: 10_000 })
  const [product, admin] = [await shop.givenProduct({ price: 1, stock: 10_000 }), await shop.adminToken()]
  const orders = await Promise.all(users.map(({ client }) => client.orders.place.mutate({ items: [item(product)] })))
  const paid = await Promise.all(users.map(({ client }) => client.orders.checkout.mutate({ items: [item(product)] })))
  const cart = { items: [item(product)] }
  const calls: ((index: number) => ReturnType<typeof post>)[] = [
    (index) => post(shop, 'points.charge', { token: users[index]?.token ?? '', input: { amount: 1 } }),
    (index) => post(shop, 'orders.place', { token: users[index]?.token ?? '', input: cart }),
    (index) => post(shop, 'orders.checkout', { token: users[index]?.token ?? '', input: cart }),
    (index) => post(shop, 'payments.pay', { token: users[index]?.token ?? '', input: { orderId: orders[index]?.id } }),
    (index) => post(shop, 'payments.refund', { token: admin, input: { orderId: paid[index]?.order.id } }),
    () => post(shop, 'products.restock', { token: admin, input: { productId: product.id, quantity: 1 } }),
    (index) => get(shop, 'points.balance', { token: users[index]?.token ?? '' }),
    (index) => get(shop, 'orders.list', { token: users[index]?.token ?? '' }),
    () => get(shop, 'products.get', { input: { productId: product.id } }),
    () => get(shop, 'products.list'),
  ]
  const call = async (index: number) => {
    const { status, refusal } =
      (await calls[index % calls.length]?.(Math.floor(index / calls.length) % users.length)) ?? {}
    return refusal ? `${status} ${(refusal as { code: string }).code}` : `${status}`
  }
  const all = async (count: number, first = 0) =>
    new Set(await Promise.all(Array.from({ length: count }, (_, index) => call(first + index))))

  const direct = connect(shop.databaseUrl, { connections: 1 })
  const before = await fingerprint(direct)
  const held = await Promise.all(Array.from({ length: CONNECTIONS }, () => holdConnection(shop.db)))
  shop.log.length = 0
  expect(await all(REQUESTS)).toEqual(new Set(['503 service_busy']))
  expectWithin(slowestOf(shop), WITHIN_MS)
  expect(await fingerprint(direct)).toBe(before)
  await direct.destroy()

  await Promise.all(held.map((each) => each[Symbol.asyncDispose]()))
  const releasedAt = performance.now()
  // On a busy machine a call may still wait for a connection too long.
  await eventually(() => all(calls.length)).toEqual(new Set(['200']))
  expectWithin(performance.now() - releasedAt, 1_000)
  for (const user of users.keys()) {
    await eventually(() => all(calls.length, calls.length * user)).toEqual(new Set(['200']))
  }
})

test('While every connection is in use, /livez returns 200 and /readyz returns 503 with the reason', async () => {
  await using shop = await openShop({ database: { connections: 1, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS } })
  const held = await holdConnection(shop.db)
  expect((await fetch(`${shop.url}/livez`)).status).toBe(200)
  const ready = await fetch(`${shop.url}/readyz`)
  expect({ status: ready.status, body: await ready.json() }).toEqual({
    status: 503,
    body: { status: 'unavailable', problem: 'database unreachable' },
  })
  await held[Symbol.asyncDispose]()
  // The result of a check is used for a second.
  await eventually(async () => (await fetch(`${shop.url}/readyz`)).status).toBe(200)
})
