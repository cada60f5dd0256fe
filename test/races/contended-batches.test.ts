import { connect, type FailedAttempt, type Pool } from '@pointwise/db'
import { expect, test } from 'vitest'
import { ContendedRows, type RowKey } from '../../server/src/payments/settlement/contended-rows.ts'
import { DeadlineReserve } from '../../server/src/payments/settlement/deadline-reserve.ts'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { settleBatch } from '../../server/src/payments/settlement/settle-batch.ts'
import { holdLocks, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { lockWaits } from '../setup/queued-calls.ts'
import { item, newKey, openShop, PATIENT_LOCKS, type Product, type Shop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

const now = new Date('2026-03-01T08:30:00Z')

/** The settlement of one server, with a pool of its own. */
interface Server extends AsyncDisposable {
  proxy: FaultProxy
  /** Settles a batch that waits for the locks of all rows except `contended`. */
  settle: (requests: SettlementRequest[], contended?: RowKey[]) => ReturnType<typeof settleBatch>
  /** The reasons of failed attempts. */
  reasons: FailedAttempt['reason'][]
}

async function openServer({ databaseUrl }: Shop): Promise<Server> {
  const proxy = await faultProxy(databaseUrl)
  const pool: Pool = connect(proxy.url, { connections: 1, ...PATIENT_LOCKS })
  const reasons: Server['reasons'] = []
  return {
    proxy,
    reasons,
    settle(requests, contended = []) {
      const contendedRows = new ContendedRows()
      contendedRows.update({ acquired: [], heldByOthers: new Map(contended.map((row) => [row, 0])) })
      return settleBatch(
        {
          pool,
          contendedRows,
          deadlineReserve: new DeadlineReserve(),
          onFailedAttempt: ({ reason }) => reasons.push(reason),
        },
        requests,
      )
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy()
      await proxy.close()
    },
  }
}

const checkout = (userId: number, ...products: Product[]): SettlementRequest => ({
  kind: 'checkout',
  userId,
  items: products.map((product) => item(product)),
  idempotencyKey: newKey(),
  now,
})

const WRITES = /^insert into `orders`/

/** Delays the first write of the server's next batch until `resume` is called. */
function pauseBeforeWrites({ proxy }: Server): { isPaused: () => boolean; resume: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const paused = proxy.inject({ until: promise }, WRITES)
  return { isPaused: () => paused() === 1, resume: () => resolve() }
}

const codes = async (settled: ReturnType<typeof settleBatch>) =>
  (await settled).map((outcome) => (outcome.kind === 'refused' ? outcome.refusal.refusal.code : outcome.kind))

/**
 * Two servers settle a batch each. Each locks a row and waits for a second one, which a third session has locked. When it is
 * released, each server tries the first row of the other with SKIP LOCKED. Then both write.
 */
async function settleAtTheSameTime(kind: 'user' | 'product') {
  await using shop = await openShop()
  await using one = await openServer(shop)
  await using two = await openServer(shop)
  const given = () => shop.givenProduct()
  const [tea, mug, jug, cup] = [await given(), await given(), await given(), await given()]
  const users = await shop.givenUsers(4, { points: 500 })
  const [ann, ben, cid, dan] = users.map(({ id }) => id) as [number, number, number, number]
  // The rows of the hour exist, so that they can be locked.
  await one.settle(users.map(({ id }) => checkout(id, tea, mug)))
  const { held, batches } = {
    user: {
      held: `points where user_id in (${cid}, ${dan})`,
      batches: [
        {
          server: one,
          requests: [checkout(ann, jug), checkout(cid, jug), checkout(ben, tea)],
          contended: ben,
        },
        {
          server: two,
          requests: [checkout(ben, cup), checkout(dan, cup), checkout(ann, mug)],
          contended: ann,
        },
      ],
    },
    product: {
      held: `stock where product_id in (${jug.id}, ${cup.id})`,
      batches: [
        {
          server: one,
          requests: [checkout(ann, tea), checkout(ann, jug), checkout(ben, mug)],
          contended: mug.id,
        },
        {
          server: two,
          requests: [checkout(cid, mug), checkout(cid, cup), checkout(dan, tea)],
          contended: tea.id,
        },
      ],
    },
  }[kind]

  const writes = [pauseBeforeWrites(one), pauseBeforeWrites(two)]
  const settled: Promise<string[]>[] = []
  {
    await using _ = await holdLocks(shop.databaseUrl, `select * from ${held} for update`)
    for (const { server, requests, contended } of batches) {
      settled.push(codes(server.settle(requests, [`${kind}:${contended}`])))
    }
    await eventually(() => lockWaits(shop.db)).toBe(batches.length)
  }
  for (const { isPaused } of writes) await eventually(isPaused).toBe(true)
  for (const { resume } of writes) resume()
  return { outcomes: await Promise.all(settled), reasons: [...one.reasons, ...two.reasons] }
}

test.each(['user', 'product'] as const)(
  'A batch locks no row of a %s that another server settles, so the servers do not wait for each other',
  async (kind) => {
    expect(await settleAtTheSameTime(kind)).toEqual({
      outcomes: [
        ['paid', 'paid', 'service_busy'],
        ['paid', 'paid', 'service_busy'],
      ],
      reasons: [],
    })
  },
)

const DEADLOCK = 1_213

/**
 * MariaDB 10.11 queues the request of a statement with SKIP LOCKED for a moment before it skips the row. If it looks for
 * deadlocks in that moment, it finds one that does not exist. `transact` repeats such a batch.
 */
async function deadlockRateMax({ db }: Shop): Promise<number> {
  const [server] = await run<{ version: string }>(db, 'select version() as version')
  return server?.version.includes('MariaDB') ? 0.01 : 0
}

const SERVERS = 4
const BATCHES = inSuite(25, 200)
const REQUESTS = 3

test('Servers whose batches wait for some rows and skip others do not deadlock', async () => {
  await using shop = await openShop()
  const products = await Promise.all(Array.from({ length: 12 }, () => shop.givenProduct({ price: 1, stock: 10_000 })))
  const users = await shop.givenUsers(6, { points: 10_000 })
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => openServer(shop)))
  const rows: RowKey[] = [
    ...users.map(({ id }): RowKey => `user:${id}`),
    ...products.map(({ id }): RowKey => `product:${id}`),
  ]
  const isChosen = () => Math.random() < 0.4
  const pick = <T>(from: T[]) => from[Math.floor(Math.random() * from.length)] as T
  let paid = 0
  await Promise.all(
    servers.map(async ({ settle }) => {
      for (let batch = 0; batch < BATCHES; batch++) {
        const requests = Array.from({ length: REQUESTS }, () => {
          const ordered = new Set([pick(products), pick(products)])
          return checkout(pick(users).id, ...ordered)
        })
        const outcomes = await codes(settle(requests, rows.filter(isChosen)))
        expect(outcomes.filter((code) => !['paid', 'service_busy'].includes(code))).toEqual([])
        paid += outcomes.filter((code) => code === 'paid').length
      }
    }),
  )
  for (const server of servers) await server[Symbol.asyncDispose]()
  const reasons = servers.flatMap((server) => server.reasons)
  expect(reasons.filter((reason) => reason !== DEADLOCK)).toEqual([])
  expect(reasons.length).toBeLessThanOrEqual(Math.ceil(SERVERS * BATCHES * (await deadlockRateMax(shop))))
  expect(paid).toBeGreaterThan(0)
})
