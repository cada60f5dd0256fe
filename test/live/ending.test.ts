import { once } from 'node:events'
import { type AddressInfo, connect as connectTo } from 'node:net'
import { createClient, type PointsChange, refusalOf } from '@pointwise/client-sdk'
import { connect } from '@pointwise/db'
import { buildApp, createCaller, createLogger } from '@pointwise/server'
import { SignJWT } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { freshDatabase, run } from '../setup/database.ts'
import { type Following, following } from '../setup/following.ts'
import { listening } from '../setup/listening.ts'
import { openShop, SECRET, type Shop } from '../setup/shop.ts'

const soon = { timeout: 10_000, interval: 5 }

const follow = (client: ReturnType<Shop['client']>) =>
  following<PointsChange>((calls) => client.points.onChange.subscribe(undefined, calls))

const errorOf = (changes: AsyncIterableIterator<unknown>) =>
  changes.next().then(
    () => expect.fail('It was followed.'),
    (error) => error,
  )

const token = (userId: number, seconds: number) =>
  new SignJWT({ sub: String(userId), aud: 'pointwise', iss: 'pointwise' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
    .sign(SECRET)

test('who may not follow is refused as anywhere', async () => {
  await using shop = await openShop()
  const admin = await shop.admin()
  const refused = async (changes: AsyncIterableIterator<unknown>) => refusalOf(await errorOf(changes))
  const nobody = shop.client({ token: await shop.userToken(999) })
  expect(await refused(shop.client().orders.onChange.subscribe())).toEqual({ code: 'token_missing', retry: 'never' })
  expect(await refused(shop.client({ token: 'a.b.c' }).points.onChange.subscribe())).toMatchObject({
    code: 'token_invalid',
  })
  expect(await refused(admin.orders.onChange.subscribe())).toMatchObject({ code: 'not_allowed' })
  expect(await refused(nobody.points.onChange.subscribe())).toMatchObject({ code: 'user_not_found' })
  const { id } = await shop.givenProduct()
  expect(await refused(admin.products.onStock.subscribe({ productIds: [id, id + 2, id + 1] }))).toEqual({
    code: 'product_not_found',
    retry: 'never',
    productId: id + 1,
  })
  for (const productIds of [[], Array(101).fill(id), [0]]) {
    expect(await errorOf(admin.products.onStock.subscribe({ productIds }))).toMatchObject({ data: { httpStatus: 400 } })
  }
})

test('a user may have so many streams, and so may all; who leaves makes room', async () => {
  await using shop = await openShop({ config: { streams: { perCaller: 2, inAll: 3 } } })
  const [ada, ben] = [await shop.givenUser(), await shop.givenUser()]
  using first = await follow(ada.client)
  const second = await follow(ada.client)
  const limited = { code: 'rate_limited', retry: 'same-key', afterMs: 5_000 }
  expect(refusalOf(await errorOf(ada.client.orders.onChange.subscribe()))).toEqual(limited)
  using third = await follow(ben.client)
  expect(refusalOf(await errorOf(ben.client.orders.onChange.subscribe()))).toEqual(limited)
  second[Symbol.dispose]()
  const hasRoom = async () => {
    using again = await follow(ben.client)
    await ben.client.points.charge.mutate({ amount: 1 })
    await expect.poll(() => again.error ?? again.told.length, soon).not.toBe(0)
    return again.error === undefined
  }
  await expect.poll(hasRoom, soon).toBe(true)
  expect([first.error, third.error]).toEqual([undefined, undefined])
})

test('when the token expires the client comes back with a fresh one, and has missed nothing', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  const tokens = [await token(id, 2), await token(id, 60)]
  const asked: { url: string; authorization: string | null }[] = []
  const client = shop.client({
    token: () => tokens[asked.length] ?? expect.fail('It asked too often.'),
    fetch: (input, init) => {
      asked.push({ url: String(input), authorization: new Headers(init?.headers).get('authorization') })
      return fetch(input, init)
    },
  })
  using points = await follow(client)
  const charge = async () => shop.asUser(id).points.charge({ amount: 1 })
  await charge()
  await points.has(1)
  const charging = (async () => {
    while (points.starts === 1) await charge()
  })()
  await points.started(2)
  await charging
  await charge()
  const rows = await run<{ id: number }>(shop.db, `select id from events where \`key\` = 'user:${id}' order by id`)
  await points.has(rows.length)
  expect(points.ids).toEqual(rows.map((row) => row.id))
  expect(asked.map(({ authorization }) => authorization)).toEqual(tokens.map((each) => `Bearer ${each}`))
  // What is in an address is in logs.
  for (const { url } of asked) for (const each of tokens) expect(url).not.toContain(each)
})

test('a token that cannot be renewed ends it, with the reason', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  using points = await follow(shop.client({ token: await token(id, 1) }))
  expect(refusalOf(await points.failed())).toEqual({ code: 'token_invalid', retry: 'never' })
})

test('a server that closes sends its clients away at once, and they go on with the next', async () => {
  const { db, url } = await freshDatabase('moving')
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const user = createCaller({ db, userId: id })
  const old = await listening({ db })
  const client = createClient({ url: old.url, token: await token(id, 60) })
  const all: Following<PointsChange>[] = []
  onTestFinished(() => all.forEach((each) => void each[Symbol.dispose]()))
  for (let n = 0; n < 20; n++) all.push(await follow(client))
  // One of them does not read.
  const stuck = connectTo(Number(new URL(old.url).port), '127.0.0.1').pause()
  stuck.write(
    `GET /trpc/points.onChange HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${await token(id, 60)}\r\n\r\n`,
  )
  await user.points.charge({ amount: 1 })
  for (const each of all) await each.has(1)

  const began = performance.now()
  await old.app.close()
  expect(performance.now() - began).toBeLessThan(2_000)
  stuck.destroy()
  await user.points.charge({ amount: 2 })

  const next = await buildApp({
    db: connect(url),
    config: {
      tokens: { audience: 'pointwise', issuer: 'pointwise', key: { secret: SECRET } },
      corsOrigins: [],
      rateLimit: null,
      trustProxy: 0,
      rankingsTtlSeconds: 0,
      storefront: false,
    },
    logger: createLogger('silent'),
  })
  onTestFinished(async () => {
    await next.close()
    await db.destroy()
  })
  await next.listen({ port: Number(new URL(old.url).port), host: '127.0.0.1' })
  await user.points.charge({ amount: 3 })
  for (const each of all) {
    await each.has(3)
    expect(each.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  }
})

test('what another server on the same database commits is told as well, and either server goes on', async () => {
  const { db, url } = await freshDatabase('pair')
  await using one = await listening({ db })
  await using other = await listening({ db: connect(url) })
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const bearer = await token(id, 60)
  const [here, there] = [createClient({ url: one.url, token: bearer }), createClient({ url: other.url, token: bearer })]
  using points = await follow(here)
  await there.points.charge.mutate({ amount: 1 })
  await here.points.charge.mutate({ amount: 2 })
  await there.points.charge.mutate({ amount: 3 })
  await points.has(3)
  expect(points.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  using later = await following<PointsChange>((calls) =>
    there.points.onChange.subscribe({ lastEventId: String(points.ids[0]) }, calls),
  )
  await later.has(2)
  expect(later.ids).toEqual(points.ids.slice(1))
})

test('who does not read is dropped, and on coming back misses nothing', async () => {
  const { db, url } = await freshDatabase('slow')
  await using server = await listening({ db })
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const product = { productId: 1, quantity: 1, stock: 1 }
  // Each some kilobytes on the wire, so that the buffers of the operating system are soon full.
  const payload = { userId: id, orderId: 1, amount: 1, balance: 1, items: Array(100).fill(product) }
  const { port } = server.app.server.address() as AddressInfo
  const socket = connectTo(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const input = encodeURIComponent('{"json":{"productIds":[1],"lastEventId":"1"}}')
  await run(db, `insert into events (type, \`key\`, payload) values ('x', 'x', '{}')`)
  socket.write(`GET /trpc/products.onStock?input=${input} HTTP/1.1\r\nhost: shop\r\n\r\n`)
  let text = ''
  const take = (part: Buffer) => {
    text += part
  }
  socket.on('data', take)
  await expect.poll(() => text, soon).toContain('connected')
  socket.pause()
  const writer = connect(url)
  onTestFinished(() => writer.destroy())
  const values = Array(1_000)
    .fill(`('order.paid', 'user:${id}', '${JSON.stringify(payload)}')`)
    .join()
  let written = 0
  const closed = once(socket, 'close')
  const sockets = () => new Promise<number>((resolve) => server.app.server.getConnections((_, count) => resolve(count)))
  while ((await sockets()) > 0 && written < 20_000) {
    await run(writer, `insert into events (type, \`key\`, payload) values ${values}`)
    written += 1_000
  }
  expect(await sockets()).toBe(0)
  socket.resume()
  await closed
  const had = Number(/.*\nid: (\d+)\n/s.exec(text)?.[1])
  expect(had).toBeGreaterThan(1)
  expect(had).toBeLessThan(written)
  const again = createClient({ url: server.url }).products.onStock.subscribe({
    productIds: [1],
    lastEventId: String(had),
  })
  expect((await again.next()).value.id).toBe(String(had + 1))
  await again.return?.()
})
