import { connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { expectAuditPasses } from '../setup/invariants.ts'
import { item, newKey } from '../setup/shop.ts'
import { startServer } from '../setup/start-server.ts'
import { json, send } from '../setup/trpc-wire.ts'
import { databaseProgram, startKillableDatabase } from './killable-database.ts'

const CLIENTS = 20
const ROUNDS = 3
const ACKNOWLEDGED = 200
const RECONNECTS_WITHIN_MS = 5_000

const program = await databaseProgram()

interface Response {
  status: number
  /** The refusal's code, or `unknown` for an unknown outcome. */
  reason: string | undefined
  orderId: number | undefined
}

test.skipIf(!program)(
  'A database that is killed under load loses nothing that was acknowledged; every other call was refused or has an unknown outcome',
  async () => {
    if (!program) return
    await using database = await startKillableDatabase(program, 'pointwise_killable')
    await createDatabase(database.url)
    await migrate(database.url)
    const db = connect(database.url)
    await using server = await startServer({ db })
    const admin = createCaller({ db, admin: true })
    const { id: storeId } = await admin.stores.create({ name: 'Corner' })
    const product = await admin.products.create({ storeId, name: 'Tea', price: 1, stock: 1_000_000 })
    const tokens = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const { id } = await admin.users.create({ name: `user ${index}` })
        await createCaller({ db, userId: id }).points.charge({ amount: 1_000_000 })
        return signUserToken(id)
      }),
    )

    async function call(path: string, token: string, input: object): Promise<Response> {
      const { status, text } = await send(
        server,
        `/trpc/${path}`,
        json(JSON.stringify({ json: input }), { authorization: `Bearer ${token}` }),
      )
      const { result, error } = JSON.parse(text)
      const { refusal, outcome } = error?.json.data ?? {}
      return { status, reason: refusal?.code ?? outcome ?? undefined, orderId: result?.data.json.order?.id }
    }

    const responses = new Map<string, Response & { token: string }>()
    const count = (status: number) => [...responses.values()].filter((each) => each.status === status).length
    let isOpen = true
    const buying = tokens.map(async (token) => {
      while (isOpen) {
        const idempotencyKey = newKey()
        const answer = await call('orders.checkout', token, { items: [item(product)], idempotencyKey })
        responses.set(idempotencyKey, { ...answer, token })
      }
    })
    const charging = tokens.map(async (token) => {
      while (isOpen) {
        const { status, reason } = await call('points.charge', token, { amount: 1_000_000 })
        expect(`${status} ${reason}`).toMatch(/^(409 points_limit_exceeded|503 service_busy|200 undefined)$/)
      }
    })

    for (let round = 1; round <= ROUNDS; round++) {
      const before = count(200)
      await eventually(() => count(200), { timeout: 30_000 }).toBeGreaterThan(before + ACKNOWLEDGED)
      await database.kill()
      const refused = count(503)
      await eventually(() => count(503), { timeout: 10_000 }).toBeGreaterThan(refused + CLIENTS)
      const during = count(200)
      await database.start()
      const started = performance.now()
      await eventually(() => count(200), { timeout: RECONNECTS_WITHIN_MS, interval: 10 }).toBeGreaterThan(during)
      expectWithin(performance.now() - started, RECONNECTS_WITHIN_MS)
    }
    isOpen = false
    await Promise.all([...buying, ...charging])

    await expectTrueResponses(db, responses, (token, idempotencyKey) =>
      call('orders.checkout', token, { items: [item(product)], idempotencyKey }),
    )
    await expectAuditPasses(db)
  },
)

/** Asserts that each acknowledged order exists, each refused one does not, and each unknown one is found by its key. */
async function expectTrueResponses(
  db: Pool,
  responses: ReadonlyMap<string, Response & { token: string }>,
  repeat: (token: string, idempotencyKey: string) => Promise<Response>,
): Promise<void> {
  const results = new Set([...responses.values()].map(({ status, reason }) => `${status} ${reason}`))
  for (const each of results) expect(each).toMatch(/^(200 undefined|503 service_busy|500 unknown)$/)
  const orders = await run<{ id: number; key: string }>(db, 'select id, idempotency_key as `key` from orders')
  const idOf = new Map(orders.map(({ id, key }) => [key, id]))
  expect(idOf.size).toBe(orders.length)
  for (const [idempotencyKey, { status, orderId, token }] of responses) {
    if (status === 200) expect(idOf.get(idempotencyKey)).toBe(orderId)
    else if (status === 503) expect(idOf.get(idempotencyKey)).toBeUndefined()
    else {
      const again = await repeat(token, idempotencyKey)
      expect(again).toMatchObject({ status: 200, orderId: idOf.get(idempotencyKey) ?? expect.any(Number) })
    }
  }
}
