import { expect, test } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, newKey, openShop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { json, send } from '../setup/trpc-wire.ts'

const CLIENTS = 16
const CALLS_BEFORE_SIGNAL = 100
const CLOSES_WITHIN_MS = 10_000

test('On SIGTERM under load, accepted calls are answered, later calls are refused with service_busy, and the process exits with 0', async () => {
  await using shop = await openShop()
  const product = await shop.givenProduct({ price: 1, stock: 100_000 })
  const users = await shop.givenUsers(CLIENTS, { points: 100_000 })
  await using server = new ServerProcess({
    DATABASE_URL: shop.databaseUrl,
    JWT_SECRET,
    RATE_LIMIT: 'off',
    PORT: '0',
  })
  const url = await server.url()

  const responses = new Map<string, { status: number; text: string } | 'no response'>()
  const count = (status: number) =>
    [...responses.values()].filter((each) => each !== 'no response' && each.status === status).length
  /** Makes one checkout after the other on a keep-alive connection until it receives no response. */
  async function buy(token: string): Promise<void> {
    for (;;) {
      const idempotencyKey = newKey()
      const body = JSON.stringify({ json: { items: [item(product)], idempotencyKey } })
      const response = await send(
        { url },
        '/trpc/orders.checkout',
        json(body, { authorization: `Bearer ${token}` }),
      ).catch(() => 'no response' as const)
      responses.set(idempotencyKey, response)
      if (response === 'no response') return
    }
  }
  const buying = users.map(({ token }) => buy(token))
  await eventually(() => count(200)).toBeGreaterThan(CALLS_BEFORE_SIGNAL)
  // Its headers are incomplete, so it is not yet a request, and its connection is not idle either.
  const incomplete = await openSocket({ url })
  incomplete.socket.write('GET /trpc/stores.list HTTP/1.1\r\nhost: shop\r\n')
  await send({ url }, '/livez')
  server.child.kill('SIGTERM')
  const signaledAt = performance.now()
  await eventually(() => acceptsConnections(url)).toBe(false)
  incomplete.socket.write('\r\n')
  expect(await server.exitCode()).toBe(0)
  expectWithin(performance.now() - signaledAt, CLOSES_WITHIN_MS)
  await Promise.all(buying)

  const orders = await run<{ id: number; idempotency_key: string; status: string }>(
    shop.db,
    'select id, idempotency_key, status from orders',
  )
  const idOf = new Map(orders.map(({ id, idempotency_key }) => [idempotency_key, id]))
  for (const [key, response] of responses) {
    if (response !== 'no response' && response.status === 200) {
      expect(JSON.parse(response.text).result.data.json.order).toMatchObject({ id: idOf.get(key), status: 'paid' })
      continue
    }
    // The call was not accepted, or was refused without effect.
    expect(idOf.get(key)).toBeUndefined()
    if (response === 'no response') continue
    expect(response.status).toBe(503)
    expect(JSON.parse(response.text).error.json.data).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      refusal: { code: 'service_busy', retry: 'same-key', afterMs: 1_000 },
    })
  }
  expect(orders).toHaveLength(count(200))
  expect(incomplete.read()).toMatch(/^HTTP\/1\.1 503 /)
  expect(server.stderr).toBe('')
})

const acceptsConnections = (url: string) =>
  openSocket({ url }).then(
    () => true,
    () => false,
  )
