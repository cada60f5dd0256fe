import { createClient } from '@pointwise/client-sdk'
import { type Pool, Replica } from '@pointwise/db'
import { appRouter, buildApp, createLogger } from '@pointwise/server'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { urlOf } from '../../server/src/http/address.ts'
import { RecentWriters } from '../../server/src/http/recent-writers.ts'
import { proceduresOf } from '../../server/src/http/trpc/fast-path.ts'
import { CONFIG, signToken, signUserToken } from '../setup/configuration.ts'
import { emptyDatabase } from '../setup/database.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { insertUsers } from '../setup/insert-users.ts'
import { type CopiedDatabase, copiedDatabase } from './copied-database.ts'

const WRITER = '192.0.2.1'
const READER = '192.0.2.2'
const RANKINGS_TTL_SECONDS = 10

let primary: Pool
let copy: CopiedDatabase
let toReplica: FaultProxy
let replica: Replica
let app: FastifyInstance
let userId: number

beforeEach(async () => {
  ;({ db: primary } = await emptyDatabase())
  copy = await copiedDatabase()
  toReplica = await faultProxy(copy.url)
  // Without a clock that advances, the replica is used once it was compared.
  replica = new Replica({ primary, url: toReplica.url, connections: 5, clock: { now: () => 0 } })
  await listen(RANKINGS_TTL_SECONDS)
  ;[userId = 0] = await insertUsers(primary, ['Ada'], 1_000)
})
afterEach(async () => {
  await app.close()
  await replica.close()
  await toReplica.close()
  await Promise.all([primary.destroy(), copy.db.destroy()])
})

async function listen(rankingsTtlSeconds: number): Promise<void> {
  const config = { ...CONFIG, trustProxy: 1, rankingsTtlSeconds }
  app = await buildApp({ db: primary, replica, config, logger: createLogger('silent') })
  await app.listen({ port: 0, host: '127.0.0.1' })
}

/** A client with this address. */
async function client(address: string, role: 'user' | 'admin' = 'user', headers: Record<string, string> = {}) {
  const token = role === 'admin' ? await signToken({ role: 'admin', sub: 'admin' }) : await signUserToken(userId)
  const withAddress: typeof fetch = (input, init) => {
    const sent = new Headers(init?.headers)
    for (const [name, value] of Object.entries({ 'x-forwarded-for': address, ...headers })) sent.set(name, value)
    return fetch(input, { ...init, headers: sent })
  }
  return createClient({ url: urlOf(app.server), token, fetch: withAddress })
}

/** Creates a product that both databases contain, and compares them. */
async function givenProduct() {
  const admin = await client(WRITER, 'admin')
  const store = await admin.stores.create.mutate({ name: 'Corner' })
  const product = await admin.products.create.mutate({ storeId: store.id, name: 'Tea', price: 10, stock: 9 })
  await copy.catchUp()
  await replica.probe()
  return product
}

/** The statements that a call sends to the replica. */
async function sentToReplica(call: () => Promise<unknown>): Promise<string[]> {
  toReplica.queries.length = 0
  await call()
  return toReplica.queries.flat().filter((sql) => /^select/.test(sql))
}

test('only lists, rankings and the audit are read from the replica', async () => {
  const { id: productId, storeId } = await givenProduct()
  const user = await client(READER)
  const admin = await client(READER, 'admin')
  const { order } = await (await client(WRITER)).orders.checkout.mutate({
    items: [{ productId, quantity: 1, price: 10 }],
  })
  await copy.catchUp()
  const orderId = order.id
  const calls: Record<string, () => Promise<unknown>> = {
    'users.me': () => user.users.me.query(),
    'stores.list': () => user.stores.list.query(),
    'products.list': () => user.products.list.query({ storeId }),
    'products.scroll': () => user.products.scroll.query({ storeId }),
    'products.get': () => user.products.get.query({ productId }),
    'products.topSelling': () => user.products.topSelling.query(),
    'products.trending': () => user.products.trending.query(),
    'points.balance': () => user.points.balance.query(),
    'points.histories': () => user.points.histories.query(),
    'orders.get': () => user.orders.get.query({ orderId }),
    'orders.list': () => user.orders.list.query(),
    'payments.get': () => user.payments.get.query({ orderId }),
    'audit.run': () => admin.audit.run.query(),
  }
  const queries = [...proceduresOf(appRouter)].filter(([, procedure]) => procedure._def.type === 'query')
  expect(Object.keys(calls).toSorted()).toEqual(queries.map(([path]) => path).toSorted())
  const onReplica: string[] = []
  for (const [path, call] of Object.entries(calls)) if ((await sentToReplica(call)).length > 0) onReplica.push(path)
  expect(onReplica).toEqual([
    'products.list',
    'products.scroll',
    'products.topSelling',
    'products.trending',
    'audit.run',
  ])
})

test('no write and no locking statement is sent to the replica', async () => {
  const { id: productId } = await givenProduct()
  const writer = await client(WRITER)
  const items = [{ productId, quantity: 1, price: 10 }]
  const sent = await sentToReplica(async () => {
    await writer.points.charge.mutate({ amount: 5 })
    await writer.orders.checkout.mutate({ items })
    const { id: orderId } = await writer.orders.place.mutate({ items })
    await writer.payments.pay.mutate({ orderId })
  })
  expect(sent).toEqual([])
})

test('a client reads what it has written, and other clients read from the replica', async () => {
  const { id: productId, storeId } = await givenProduct()
  const items = [{ productId, quantity: 4, price: 10 }]
  await (await client(WRITER)).orders.checkout.mutate({ items })
  const stockAt = async (address: string, headers = {}) => {
    const reader = await client(address, 'user', headers)
    const [{ items: listed }, { items: scrolled }] = [
      await reader.products.list.query({ storeId }),
      await reader.products.scroll.query({ storeId }),
    ]
    expect(scrolled).toEqual(listed)
    return listed[0]?.stock
  }
  expect(await stockAt(WRITER)).toBe(5)
  expect(await stockAt(READER)).toBe(9)
  expect(await stockAt(READER, { 'read-from': 'primary' })).toBe(5)
  await copy.catchUp()
  expect(await stockAt(READER)).toBe(5)
})

test('a client that writes is remembered for ten seconds, and too many clients count as all', async () => {
  let now = 1
  const writers = new RecentWriters({ clock: { now: () => now } })
  await writers.add(WRITER)
  expect([writers.has(WRITER), writers.has(READER)]).toEqual([true, false])
  now = 10_001
  expect(writers.has(WRITER)).toBe(true)
  now = 10_002
  expect(writers.has(WRITER)).toBe(false)
  for (let index = 0; index < 100_000; index++) void writers.add(String(index))
  expect(writers.has(READER)).toBe(true)
})

test('a store that the replica lacks exists, and the number of products is that of the primary', async () => {
  await givenProduct()
  const admin = await client(WRITER, 'admin')
  const store = await admin.stores.create.mutate({ name: 'New' })
  const reader = await client(READER)
  expect(await reader.products.list.query({ storeId: store.id })).toMatchObject({ items: [], totalItems: 0 })
  await admin.products.create.mutate({ storeId: store.id, name: 'Mug', price: 1, stock: 1 })
  // The replica does not contain the product. The number of products that is cached now remains true after the replica caught up.
  expect(await reader.products.list.query({ storeId: store.id })).toMatchObject({ items: [], totalItems: 1 })
  await copy.catchUp()
  expect(await reader.products.list.query({ storeId: store.id })).toMatchObject({ items: [{}], totalItems: 1 })
})

test('rankings that are read from the replica show the prices of the primary, without removed products', async () => {
  const { id: productId, storeId } = await givenProduct()
  const writer = await client(WRITER, 'admin')
  const removed = await writer.products.create.mutate({ storeId, name: 'Mug', price: 10, stock: 9 })
  const items = [productId, removed.id].map((id) => ({ productId: id, quantity: 1, price: 10 }))
  await (await client(WRITER)).orders.checkout.mutate({ items })
  await copy.catchUp()
  await writer.products.update.mutate({ productId, price: 11 })
  await writer.products.remove.mutate({ productId: removed.id })
  const reader = await client(READER)
  const rankings = async () => [
    ...(await reader.products.topSelling.query()),
    ...(await reader.products.trending.query()).items,
  ]
  expect((await sentToReplica(rankings)).length).toBeGreaterThan(0)
  expect((await rankings()).map(({ rank, product: { id, price } }) => [rank, id, price])).toEqual([
    [1, productId, 11],
    [1, productId, 11],
  ])
})

test('rankings with a lifetime below ten seconds are read from the primary, because the replica may have an older one', async () => {
  await app.close()
  await listen(RANKINGS_TTL_SECONDS - 1)
  await givenProduct()
  const reader = await client(READER)
  const sent = await sentToReplica(async () => {
    await reader.products.topSelling.query()
    await reader.products.trending.query()
  })
  expect(sent).toEqual([])
})

test('without a usable replica every read is answered by the primary', async () => {
  const { storeId } = await givenProduct()
  toReplica.disable()
  await replica.probe()
  const reader = await client(READER, 'admin')
  expect((await reader.products.list.query({ storeId })).items).toHaveLength(1)
  expect((await reader.audit.run.query()).sound).toBe(true)
  expect(replica.fallbacks).toBe(2)
})
