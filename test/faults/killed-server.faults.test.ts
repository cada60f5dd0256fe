import { setTimeout as delay } from 'node:timers/promises'
import { createClient, OutcomeUnknownError, refusalOf } from '@pointwise/client-sdk'
import { TRPCClientError } from '@trpc/client'
import { expect, test } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { type Client, item, newKey, openShop } from '../setup/shop.ts'

const CLIENTS = 50
const CHECKOUTS = 20
const KILLED_AFTER = [250, 600]

interface Acknowledged {
  orderId: number
  replayed: boolean
}

/** Repeats one checkout with one key until its outcome is known. */
async function checkout(client: Client, cart: { items: ReturnType<typeof item>[]; idempotencyKey: string }) {
  for (;;) {
    try {
      const { order, replayed } = await client.orders.checkout.mutate(cart)
      return { orderId: order.id, replayed }
    } catch (error) {
      const mayBeRepeated = error instanceof OutcomeUnknownError || refusalOf(error)?.retry === 'same-key'
      if (!mayBeRepeated || !(error instanceof TRPCClientError)) throw error
    }
  }
}

test('A server that is killed during 1,000 checkouts and started again makes each of them once, and keeps every acknowledged one', async () => {
  await using shop = await openShop()
  const [product, other] = [
    await shop.givenProduct({ price: 3, stock: 100_000 }),
    await shop.givenProduct({ price: 4, stock: 100_000 }),
  ]
  const users = await shop.givenUsers(CLIENTS, { points: 1_000 })
  await using proxy = await faultProxy(shop.databaseUrl)
  const env = {
    DATABASE_URL: proxy.url,
    JWT_SECRET,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'info',
  }
  let server = new ServerProcess({ ...env, PORT: '0' })
  const url = await server.url()

  const acknowledged = new Map<string, Acknowledged>()
  const all = Promise.all(
    users.map(async ({ token }) => {
      const client = shop.client({ token, fetch: (input, init) => fetch(String(input).replace(shop.url, url), init) })
      for (let made = 0; made < CHECKOUTS; made++) {
        const idempotencyKey = newKey()
        const cart = { items: [item(product), item(other)], idempotencyKey }
        acknowledged.set(idempotencyKey, await checkout(client, cart))
      }
    }),
  )
  for (const count of KILLED_AFTER) {
    await eventually(() => acknowledged.size, { timeout: 60_000 }).toBeGreaterThan(count)
    // The database has committed, but its answer does not arrive.
    const struck = proxy.inject('hang', /^commit$/)
    await eventually(struck).toBe(1)
    const before = new Map(acknowledged)
    await server[Symbol.asyncDispose]()
    server = new ServerProcess({ ...env, PORT: new URL(url).port })
    expect(await server.url()).toBe(url)
    const there = await run<{ id: number }>(shop.db, "select id from orders where status = 'paid'")
    const ids = new Set(there.map(({ id }) => id))
    expect([...before.values()].filter(({ orderId }) => !ids.has(orderId))).toEqual([])
  }
  await all
  server.child.kill('SIGTERM')
  expect(await server.exitCode()).toBe(0)

  const orders = await run<{ id: number; key: string; status: string }>(
    shop.db,
    'select id, idempotency_key as `key`, status from orders',
  )
  expect(orders).toHaveLength(CLIENTS * CHECKOUTS)
  for (const { id, key, status } of orders) {
    expect({ status, orderId: acknowledged.get(key)?.orderId }).toEqual({ status: 'paid', orderId: id })
  }
  expect([...acknowledged.values()].filter(({ replayed }) => replayed).length).toBeGreaterThanOrEqual(
    KILLED_AFTER.length,
  )
  expect(await run(shop.db, 'select distinct point from points')).toEqual([{ point: 1_000 - CHECKOUTS * 7 }])
})

const RESTART_MS = 5_400
const CHARGES = 18

test('A restart of 5.4 seconds leaves the outcome of no charge unknown: each is made once', async () => {
  await using shop = await openShop()
  const users = await shop.givenUsers(CHARGES)
  await using proxy = await faultProxy(shop.databaseUrl)
  const env = { DATABASE_URL: proxy.url, JWT_SECRET, RATE_LIMIT: 'off', LOG_LEVEL: 'info' }
  let server = new ServerProcess({ ...env, PORT: '0' })
  const url = await server.url()
  // Each COMMIT takes effect, and no answer to it arrives.
  const committed = proxy.inject('hang', /^commit$/, CHARGES)
  const charges = users.map(({ token }) => createClient({ url, token }).points.charge.mutate({ amount: 5 }))
  const balances = Promise.all(charges)
  await eventually(committed).toBeGreaterThan(0)
  await server[Symbol.asyncDispose]()
  proxy.clear()
  await delay(RESTART_MS)
  server = new ServerProcess({ ...env, PORT: new URL(url).port })
  await using _ = server
  expect(await server.url()).toBe(url)

  expect((await balances).map(({ balance }) => balance)).toEqual(Array(CHARGES).fill(5))
  expect(await run(shop.db, 'select distinct point from points')).toEqual([{ point: 5 }])
})
