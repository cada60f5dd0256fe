import { once } from 'node:events'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { createClient, type PointsChange } from '@pointwise/client-sdk'
import { connect } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { expect, onTestFinished, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { freshDatabase, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import type { Client } from '../setup/shop.ts'
import { startServer } from '../setup/start-server.ts'
import { type Subscriber, subscribe } from '../setup/subscriber.ts'

const subscribeToPoints = (client: Client) =>
  subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))

test('a server that closes disconnects its clients at once, and they resume on the next server', async () => {
  const { db, url } = await freshDatabase('moving')
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const user = createCaller({ db, userId: id })
  await using old = await startServer({ db })
  const client = createClient({ url: old.url, token: await signUserToken(id) })
  const subscribers: Subscriber<PointsChange>[] = []
  onTestFinished(() => subscribers.forEach((subscriber) => void subscriber[Symbol.dispose]()))
  for (let n = 0; n < 20; n++) subscribers.push(await subscribeToPoints(client))
  // A client that reads nothing must not delay the shutdown.
  const stuck = connectSocket(Number(new URL(old.url).port), '127.0.0.1').pause()
  stuck.write(
    `GET /trpc/points.onChange HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${await signUserToken(id)}\r\n\r\n`,
  )
  await user.points.charge({ amount: 1 })
  for (const subscriber of subscribers) await subscriber.received(1)

  const began = performance.now()
  await old.app.close()
  expectWithin(performance.now() - began, 2_000)
  stuck.destroy()
  await user.points.charge({ amount: 2 })

  const port = Number(new URL(old.url).port)
  await using _next = await startServer({ db: connect(url), port })
  await user.points.charge({ amount: 3 })
  for (const subscriber of subscribers) {
    await subscriber.received(3)
    expect(subscriber.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  }
})

test('a client receives the commits of another server on the same database, and can resume on either server', async () => {
  const { db, url } = await freshDatabase('pair')
  await using one = await startServer({ db })
  await using other = await startServer({ db: connect(url) })
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const token = await signUserToken(id)
  const [first, second] = [createClient({ url: one.url, token }), createClient({ url: other.url, token })]
  using points = await subscribeToPoints(first)
  await second.points.charge.mutate({ amount: 1 })
  await first.points.charge.mutate({ amount: 2 })
  await second.points.charge.mutate({ amount: 3 })
  await points.received(3)
  expect(points.changes.map(({ amount }) => amount)).toEqual([1, 2, 3])
  using resumed = await subscribe<PointsChange>((callbacks) =>
    second.points.onChange.subscribe({ lastEventId: String(points.ids[0]) }, callbacks),
  )
  await resumed.received(2)
  expect(resumed.ids).toEqual(points.ids.slice(1))
})

test('a client that does not read is disconnected, and misses nothing when it resumes', async () => {
  const { db, url } = await freshDatabase('slow')
  await using server = await startServer({ db })
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const product = { productId: 1, quantity: 1, stock: 1 }
  // A change of some kilobytes, so that few fill the buffers of the operating system.
  const payload = { userId: id, orderId: 1, amount: 1, balance: 1, items: Array(100).fill(product) }
  const { port } = server.app.server.address() as AddressInfo
  const socket = connectSocket(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const input = encodeURIComponent('{"json":{"productIds":[1],"lastEventId":"1"}}')
  await run(db, `insert into events (type, \`key\`, payload) values ('x', 'x', '{}')`)
  socket.write(`GET /trpc/products.onStock?input=${input} HTTP/1.1\r\nhost: shop\r\n\r\n`)
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  await eventually(() => received).toContain('connected')
  socket.pause()
  const writer = connect(url)
  onTestFinished(() => writer.destroy())
  const values = Array(1_000)
    .fill(`('order.paid', 'user:${id}', '${JSON.stringify(payload)}')`)
    .join()
  let written = 0
  const closed = once(socket, 'close')
  const countConnections = () =>
    new Promise<number>((resolve) => server.app.server.getConnections((_, count) => resolve(count)))
  while ((await countConnections()) > 0 && written < 40_000) {
    await run(writer, `insert into events (type, \`key\`, payload) values ${values}`)
    written += 1_000
  }
  await eventually(countConnections).toBe(0)
  socket.resume()
  await closed
  const lastEventId = Number(/.*\nid: (\d+)\n/s.exec(received)?.[1])
  expect(lastEventId).toBeGreaterThan(1)
  expect(lastEventId).toBeLessThan(written)
  const resumed = createClient({ url: server.url }).products.onStock.subscribe({
    productIds: [1],
    lastEventId: String(lastEventId),
  })
  expect((await resumed.next()).value.id).toBe(String(lastEventId + 1))
  await resumed.return?.()
})
