import { describe, expect, onTestFinished, test } from 'vitest'
import { holdConnection } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket, type RawSocket } from '../setup/sockets.ts'
import { send } from '../setup/trpc-wire.ts'

const SLOW = 500
const REQUEST_TIMEOUT_MS = 1_000
const LIMITS = { requestTimeoutMs: REQUEST_TIMEOUT_MS, idleTimeoutMs: 1_500 }
/** Well above the limits, and well below the minutes that sending a whole request would take. */
const CUT_OFF_MS = 5_000
const DRIP_MS = 200
const QUICK_MS = 2_000
const REQUESTS = 5_000

const GET = 'GET /trpc/stores.list HTTP/1.1\r\nhost: shop\r\n'
const POST =
  'POST /trpc/points.charge HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n'

/** Writes one byte at a time to each connection while it is open. */
function drip(connections: RawSocket[], text: string): void {
  let sent = 0
  const timer = setInterval(() => {
    const byte = text[sent++ % text.length]
    for (const { socket } of connections) if (socket.writable) socket.write(byte ?? '')
  }, DRIP_MS)
  onTestFinished(() => clearInterval(timer))
}

async function open(shop: Shop, count: number): Promise<RawSocket[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => openSocket(shop)))
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy()
  })
  return connections
}

const connected = (shop: Shop) =>
  new Promise<number>((resolve) => shop.app.server.getConnections((_, count) => resolve(count)))

const durationOf = async (action: Promise<unknown>) => {
  const began = performance.now()
  await action
  return performance.now() - began
}

describe('clients that send one byte at a time are disconnected, and do not delay others:', () => {
  for (const [what, start, rest] of [
    ['in the headers', '', `${GET}x-slow: ${'x'.repeat(999)}`],
    ['in the body', POST, ' '.repeat(999)],
  ] as const) {
    test(`${SLOW} of them, ${what}`, async () => {
      await using shop = await openShop({ limits: LIMITS })
      const { client } = await shop.givenUser()
      // Counted as they are accepted: on a busy machine, the first are disconnected before the last are open.
      let accepted = 0
      shop.app.server.on('connection', () => accepted++)
      const slow = await open(shop, SLOW)
      for (const { socket } of slow) socket.write(start)
      drip(slow, rest)
      await eventually(() => accepted).toBeGreaterThanOrEqual(SLOW)

      const cut = Promise.all(slow.map(({ closed }) => closed))
      for (let n = 1; n <= 10; n++) {
        expectWithin(await durationOf(client.points.charge.mutate({ amount: 1 })), QUICK_MS)
      }
      expectWithin(await durationOf(cut), CUT_OFF_MS)
      for (const { read } of slow) expect(read()).toMatch(/^(HTTP\/1\.1 408 |$)/)
      await eventually(() => connected(shop)).toBeLessThan(5)
    })
  }
})

test('a connection on which nothing is sent is closed', async () => {
  await using shop = await openShop({ limits: LIMITS })
  const silent = await open(shop, 10)
  expectWithin(await durationOf(Promise.all(silent.map(({ closed }) => closed))), CUT_OFF_MS)
})

test('a client that sends requests and never reads the responses is disconnected', async () => {
  // The calls still wait for database connections when the client has been disconnected.
  await using shop = await openShop({ limits: LIMITS, database: { acquireTimeoutMs: 20_000 } })
  for (let n = 0; n < 20; n++) await shop.givenProduct({ name: 'x'.repeat(200) })
  const clients = await open(shop, 1)
  for (const { socket } of clients) socket.pause().write(`${GET.replace('stores', 'products')}\r\n`.repeat(REQUESTS))

  await eventually(() => shop.log.length).toBeGreaterThan(0)
  await eventually(() => connected(shop)).toBe(0)
  expect(shop.log.length).toBeLessThan(REQUESTS)
})

test('a client that waits for a slow response is not disconnected', async () => {
  await using shop = await openShop({
    limits: { requestTimeoutMs: 200 },
    database: { connections: 1, acquireTimeoutMs: 1_500 },
  })
  await using _ = await holdConnection(shop.db)
  expect(await send(shop, '/trpc/stores.list')).toMatchObject({ status: 503 })
})

test('connections beyond the maximum are closed', async () => {
  await using shop = await openShop({ limits: { connectionsMax: 20 } })
  const all = await open(shop, 30)
  await Promise.all(all.slice(20).map(({ closed }) => closed))
  for (const { socket } of all.slice(0, 20)) socket.write(`${GET}\r\n`)
  for (const { read } of all.slice(0, 20)) await eventually(read).toContain('200 OK')
})
