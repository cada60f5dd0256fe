import { expect, test } from 'vitest'
import { SECRET } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, newKey, openShop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { json, send } from '../setup/trpc-wire.ts'

const CLIENTS = 16
const BEFORE_THE_SIGNAL = 100
const CLOSES_WITHIN_MS = 10_000

test('SIGTERM under load: what was accepted is answered, what comes later is refused, and the process ends with 0', async () => {
  await using shop = await openShop()
  const product = await shop.givenProduct({ price: 1, stock: 100_000 })
  const users = await shop.givenUsers(CLIENTS, { points: 100_000 })
  await using server = new ServerProcess({
    DATABASE_URL: shop.databaseUrl,
    JWT_SECRET: new TextDecoder().decode(SECRET),
    RATE_LIMIT: 'off',
    PORT: '0',
  })
  const url = await server.url()

  const answers = new Map<string, { status: number; text: string } | 'no answer'>()
  const count = (status: number) =>
    [...answers.values()].filter((each) => each !== 'no answer' && each.status === status).length
  /** Buys one thing after the other, on a connection that it keeps, until nobody answers. */
  async function buy(token: string): Promise<void> {
    for (;;) {
      const idempotencyKey = newKey()
      const body = JSON.stringify({ json: { items: [item(product)], idempotencyKey } })
      const answer = await send(
        { url },
        '/trpc/orders.checkout',
        json(body, { authorization: `Bearer ${token}` }),
      ).catch(() => 'no answer' as const)
      answers.set(idempotencyKey, answer)
      if (answer === 'no answer') return
    }
  }
  const buying = users.map(({ token }) => buy(token))
  await eventually(() => count(200)).toBeGreaterThan(BEFORE_THE_SIGNAL)
  // Its head is not all there, so it is no request yet, and its connection is not idle either.
  const late = await openSocket({ url })
  late.socket.write('GET /trpc/stores.list HTTP/1.1\r\nhost: shop\r\n')
  await send({ url }, '/livez')
  server.child.kill('SIGTERM')
  const signalled = performance.now()
  await expect
    .poll(
      () =>
        openSocket({ url }).then(
          () => 'open',
          () => 'refused',
        ),
      { timeout: CLOSES_WITHIN_MS },
    )
    .toBe('refused')
  late.socket.write('\r\n')
  expect(await server.end()).toBe(0)
  expect(performance.now() - signalled).toBeLessThan(CLOSES_WITHIN_MS)
  await Promise.all(buying)

  const orders = await run<{ id: number; idempotency_key: string; status: string }>(
    shop.db,
    'select id, idempotency_key, status from orders',
  )
  const idOf = new Map(orders.map(({ id, idempotency_key }) => [idempotency_key, id]))
  for (const [key, answer] of answers) {
    if (answer !== 'no answer' && answer.status === 200) {
      expect(JSON.parse(answer.text).result.data.json.order).toMatchObject({ id: idOf.get(key), status: 'paid' })
      continue
    }
    // Nobody accepted it, or it was told that nothing happened.
    expect(idOf.get(key)).toBeUndefined()
    if (answer === 'no answer') continue
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.text).error.json.data).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      refusal: { code: 'service_busy', retry: 'same-key', afterMs: 1_000 },
    })
  }
  expect(orders).toHaveLength(count(200))
  expect(late.read()).toMatch(/^HTTP\/1\.1 503 /)
  expect(server.stderr).toBe('')
})
