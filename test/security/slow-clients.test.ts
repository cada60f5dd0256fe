import { describe, expect, onTestFinished, test } from 'vitest'
import { holdConnection } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket, type RawSocket } from '../setup/sockets.ts'
import { send } from '../setup/trpc-wire.ts'

const SLOW = 500
const REQUEST_TIMEOUT_MS = 1_000
const LIMITS = { requestTimeoutMs: REQUEST_TIMEOUT_MS, idleTimeoutMs: 1_500 }
/** By then a client that takes more than its time has long been cut off; what it sends takes minutes. */
const CUT_OFF_MS = 5_000
const DRIP_MS = 200
const QUICK_MS = 2_000
const ASKED = 5_000

const GET = 'GET /trpc/stores.list HTTP/1.1\r\nhost: shop\r\n'
const POST =
  'POST /trpc/points.charge HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n'

/** Writes to each connection a byte at a time for as long as it is open. */
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

const lasted = async (action: Promise<unknown>) => {
  const began = performance.now()
  await action
  return performance.now() - began
}

describe('clients that send a byte at a time are cut off, and disturb nobody:', () => {
  for (const [what, start, rest] of [
    ['in the headers', '', `${GET}x-slow: ${'x'.repeat(999)}`],
    ['in the body', POST, ' '.repeat(999)],
  ] as const) {
    test(`${SLOW} of them, ${what}`, async () => {
      await using shop = await openShop({ limits: LIMITS })
      const { client } = await shop.givenUser()
      const slow = await open(shop, SLOW)
      for (const { socket } of slow) socket.write(start)
      drip(slow, rest)
      await eventually(() => connected(shop)).toBeGreaterThanOrEqual(SLOW)

      const cut = Promise.all(slow.map(({ closed }) => closed))
      for (let n = 1; n <= 10; n++) {
        expect(await lasted(client.points.charge.mutate({ amount: 1 }))).toBeLessThan(QUICK_MS)
      }
      expect(await lasted(cut)).toBeLessThan(CUT_OFF_MS)
      for (const { read } of slow) expect(read()).toMatch(/^(HTTP\/1\.1 408 |$)/)
      await eventually(() => connected(shop)).toBeLessThan(5)
    })
  }
})

test('a connection on which nothing is ever sent is closed', async () => {
  await using shop = await openShop({ limits: LIMITS })
  const silent = await open(shop, 10)
  expect(await lasted(Promise.all(silent.map(({ closed }) => closed)))).toBeLessThan(CUT_OFF_MS)
})

test('a client that asks and never reads the answers is cut off', async () => {
  // What was asked is still being read from the database when the client has long been cut off.
  await using shop = await openShop({ limits: LIMITS, database: { acquireTimeoutMs: 20_000 } })
  for (let n = 0; n < 20; n++) await shop.givenProduct({ name: 'x'.repeat(200) })
  const asking = await open(shop, 1)
  for (const { socket } of asking) socket.pause().write(`${GET.replace('stores', 'products')}\r\n`.repeat(ASKED))

  await eventually(() => shop.log.length).toBeGreaterThan(0)
  await eventually(() => connected(shop)).toBe(0)
  expect(shop.log.length).toBeLessThan(ASKED)
})

test('a request that takes its time to be answered is not cut off', async () => {
  await using shop = await openShop({
    limits: { requestTimeoutMs: 200 },
    database: { connections: 1 },
  })
  await using _ = await holdConnection(shop.db)
  expect(await send(shop, '/trpc/stores.list')).toMatchObject({ status: 503 })
})

test('there are no more connections than are allowed', async () => {
  await using shop = await openShop({ limits: { connectionsMax: 20 } })
  const all = await open(shop, 30)
  await Promise.all(all.slice(20).map(({ closed }) => closed))
  for (const { socket } of all.slice(0, 20)) socket.write(`${GET}\r\n`)
  for (const { read } of all.slice(0, 20)) await eventually(read).toContain('200 OK')
})
