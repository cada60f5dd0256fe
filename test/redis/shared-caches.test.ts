import { createClient } from '@pointwise/client-sdk'
import { createCaller } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { signToken, signUserToken } from '../setup/configuration.ts'
import { eventually } from '../setup/eventually.ts'
import { item } from '../setup/shop.ts'
import { openSharedServers } from './shared-servers.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const TTL_SECONDS = 3_600

/** Servers, a buyer, and a product that was bought. The first server is called by an admin, the others by everyone. */
async function openShops(redisUrl: string, count = 3) {
  const shared = await openSharedServers({
    redisUrl,
    name: 'shared_caches',
    count,
    config: { rankingsTtlSeconds: TTL_SECONDS },
  })
  const asAdmin = createCaller({ db: shared.db, admin: true })
  const store = await asAdmin.stores.create({ name: 'Corner shop' })
  const product = await asAdmin.products.create({ storeId: store.id, name: 'Pot', price: 5, stock: 100 })
  const { id: userId } = await asAdmin.users.create({ name: 'Ada' })
  const asUser = createCaller({ db: shared.db, userId })
  await asUser.points.charge({ amount: 1_000 })
  await asUser.orders.checkout({ items: [item(product)] })
  const token = await signUserToken(userId)
  const clients = shared.servers.map(({ url }) => createClient({ url, token }))
  const admin = createClient({
    url: shared.servers[0]?.url ?? '',
    token: await signToken({ sub: 'admin', role: 'admin' }),
  })
  const rankings = () =>
    Promise.all(
      clients.map(async ({ products }) => {
        const [top, trending] = [await products.topSelling.query(), await products.trending.query()]
        return [...top, ...trending.items].map(({ rank, product: { name, price } }) => ({ rank, name, price }))
      }),
    )
  /** How many statements of all servers match. */
  const sent = (pattern: RegExp) =>
    shared.servers.flatMap(({ statements }) => statements).filter((sql) => pattern.test(sql)).length
  return Object.assign(shared, { product, userId, store, clients, admin, rankings, sent })
}

const TRENDING = /as `soldCount`/
const TOP_SELLING = /order by .*sales_volume/
const COUNT = /select count\(/

describe.skipIf(valkeyIsMissing)(`Servers that share a Redis${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('read rankings and the number of products once, not once for each server', async () => {
    await using valkey = await startValkey()
    await using shops = await openShops(valkey.url, 4)
    const { clients, sent } = shops
    const calls = [...clients, ...clients].flatMap(({ products }) => [
      products.trending.query(),
      products.topSelling.query(),
      products.list.query(),
    ])
    await Promise.all(calls)
    expect([sent(TRENDING), sent(TOP_SELLING), sent(COUNT)]).toEqual([1, 1, 1])
  })

  test('show a changed price, a removed product and the number of products at once', async () => {
    await using valkey = await startValkey()
    await using shops = await openShops(valkey.url)
    const { clients, admin, product, store, rankings, sent } = shops
    const counts = () => Promise.all(clients.map(async ({ products }) => (await products.list.query()).totalItems))
    const entry = { rank: 1, name: 'Pot', price: 5 }
    expect(await rankings()).toEqual(clients.map(() => [entry, entry]))
    expect(await counts()).toEqual(clients.map(() => 1))

    await admin.products.update.mutate({ productId: product.id, price: 7, name: 'Pan' })
    const changed = { rank: 1, name: 'Pan', price: 7 }
    expect(await rankings()).toEqual(clients.map(() => [changed, changed]))
    await admin.products.create.mutate({ storeId: store.id, name: 'Lid', price: 1, stock: 1 })
    expect(await counts()).toEqual(clients.map(() => 2))
    await admin.products.remove.mutate({ productId: product.id })
    expect(await counts()).toEqual(clients.map(() => 1))
    expect(await rankings()).toEqual(clients.map(() => []))
    // The rankings themselves were read once.
    expect([sent(TRENDING), sent(TOP_SELLING)]).toEqual([1, 1])
  })

  test('show the current price in a ranking that was read before the price changed', async () => {
    await using valkey = await startValkey()
    await using shops = await openShops(valkey.url)
    const { db, clients, product, sent } = shops
    await clients[0]?.products.topSelling.query()
    // A server that Redis does not reach makes the change.
    await createCaller({ db, admin: true }).products.update({ productId: product.id, price: 7 })
    expect(await clients[1]?.products.topSelling.query()).toMatchObject([{ product: { price: 7 } }])
    expect(sent(TOP_SELLING)).toBe(1)
  })

  test('refuse a removed user at once', async () => {
    await using valkey = await startValkey()
    await using shops = await openShops(valkey.url)
    const { clients, admin, userId } = shops
    for (const { users } of clients) await users.me.query()
    await admin.users.remove.mutate({ userId })
    for (const { users } of clients) {
      await expect(users.me.query()).rejects.toMatchObject({ data: { refusal: { code: 'user_not_found' } } })
    }
  })

  test('do not show what was changed while Redis was gone, once it is available', async () => {
    await using valkey = await startValkey()
    await using shops = await openShops(valkey.url)
    const { clients, admin, product, store, rankings } = shops
    await rankings()
    for (const { products } of clients) await products.list.query()
    await valkey.kill()
    await shops.untilAvailable(false)
    await admin.products.update.mutate({ productId: product.id, price: 7 })
    await admin.products.create.mutate({ storeId: store.id, name: 'Lid', price: 1, stock: 1 })
    // The server that made the change does not need Redis to know of it.
    expect((await admin.products.topSelling.query())[0]?.product.price).toBe(7)
    expect((await admin.products.list.query()).totalItems).toBe(2)
    await valkey.start()
    await shops.untilAvailable()
    await eventually(rankings).toEqual(clients.map(() => Array(2).fill({ rank: 1, name: 'Pot', price: 7 })))
    for (const { products } of clients) expect((await products.list.query()).totalItems).toBe(2)
  })
})
