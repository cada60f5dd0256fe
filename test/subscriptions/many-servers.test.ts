import { once } from 'node:events'
import { type AddressInfo, connect as connectTo } from 'node:net'
import { createClient, type PointsChange } from '@pointwise/client-sdk'
import { connect } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { expect, onTestFinished, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { freshDatabase, run } from '../setup/database.ts'
import type { Client } from '../setup/shop.ts'
import { startServer } from '../setup/start-server.ts'
import { type Subscriber, subscribe } from '../setup/subscriber.ts'

const soon = { timeout: 10_000, interval: 5 }

const follow = (client: Client) =>
  subscribe<PointsChange>((calls) => client.points.onChange.subscribe(undefined, calls))

test('a server that closes sends its clients away at once, and they go on with the next', async () => {
  const { db, url } = await freshDatabase('moving')
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const user = createCaller({ db, userId: id })
  await using old = await startServer({ db })
  const client = createClient({ url: old.url, token: await signUserToken(id) })
  const all: Subscriber<PointsChange>[] = []
  onTestFinished(() => all.forEach((each) => void each[Symbol.dispose]()))
  for (let n = 0; n < 20; n++) all.push(await follow(client))
  // One of them does not read.
  const stuck = connectTo(Number(new URL(old.url).port), '127.0.0.1').pause()
  stuck.write(
    `GET /trpc/points.onChange HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${await signUserToken(id)}\r\n\r\n`,
  )
  await user.points.charge({ amount: 1 })
  for (const each of all) await each.has(1)

  const began = performance.now()
  await old.app.close()
  expect(performance.now() - began).toBeLessThan(2_000)
  stuck.destroy()
  await user.points.charge({ amount: 2 })

  const port = Number(new URL(old.url).port)
  await using _next = await startServer({ db: connect(url), port })
  await user.points.charge({ amount: 3 })
  for (const each of all) {
    await each.has(3)
    expect(each.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  }
})

test('what another server on the same database commits is told as well, and either server goes on', async () => {
  const { db, url } = await freshDatabase('pair')
  await using one = await startServer({ db })
  await using other = await startServer({ db: connect(url) })
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const bearer = await signUserToken(id)
  const [here, there] = [createClient({ url: one.url, token: bearer }), createClient({ url: other.url, token: bearer })]
  using points = await follow(here)
  await there.points.charge.mutate({ amount: 1 })
  await here.points.charge.mutate({ amount: 2 })
  await there.points.charge.mutate({ amount: 3 })
  await points.has(3)
  expect(points.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  using later = await subscribe<PointsChange>((calls) =>
    there.points.onChange.subscribe({ lastEventId: String(points.ids[0]) }, calls),
  )
  await later.has(2)
  expect(later.ids).toEqual(points.ids.slice(1))
})

test('who does not read is dropped, and on coming back misses nothing', async () => {
  const { db, url } = await freshDatabase('slow')
  await using server = await startServer({ db })
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
  while ((await sockets()) > 0 && written < 40_000) {
    await run(writer, `insert into events (type, \`key\`, payload) values ${values}`)
    written += 1_000
  }
  await expect.poll(sockets, soon).toBe(0)
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
