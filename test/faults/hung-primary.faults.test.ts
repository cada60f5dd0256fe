import { CommitUnknownError, type ConnectOptions, connect, type Pool, transact } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import type { FaultProxy } from '../setup/fault-proxy.ts'
import { openSeveralHosts } from '../setup/several-hosts.ts'
import { item, newKey, openShop } from '../setup/shop.ts'

const CONNECTIONS = 10
/** The server is checked every two seconds, and has two seconds to respond. Then a search and the work follow. */
const NOTICED_WITHIN_MS = 8_000

async function open(options: ConnectOptions = {}): Promise<{ db: Pool; hosts: [FaultProxy, FaultProxy] }> {
  await emptyDatabase().then(({ db }) => db.destroy())
  const several = await openSeveralHosts(databaseUrl(), 2)
  const db = connect(several.url, {
    connections: CONNECTIONS,
    acquireTimeoutMs: 20_000,
    statementTimeoutMs: 120_000,
    ...options,
  })
  onTestFinished(async () => {
    await several[Symbol.asyncDispose]()
    await db.destroy()
  })
  return { db, hosts: several.hosts as [FaultProxy, FaultProxy] }
}

/** The host hangs: nothing arrives on any connection, and new ones are accepted and never answered. */
function hang(host: FaultProxy): void {
  host.forget()
  host.stall()
}

test('A primary that hangs costs one bounded wait: every statement on it fails at once, and runs on the new primary', async () => {
  const { db, hosts } = await open()
  const [primary, replica] = hosts
  const isUnderWay = Promise.withResolvers<void>()
  let count = 0
  const inserting = Array.from({ length: CONNECTIONS }, (_, index) =>
    transact(db, async (tx) => {
      await run(tx, 'select 1')
      if (++count === CONNECTIONS) isUnderWay.resolve()
      await isUnderWay.promise
      await tx
        .insertInto('users')
        .values({ name: `user ${index}` })
        .execute()
    }),
  )
  await isUnderWay.promise
  hang(primary)
  replica.setReadOnly(false)
  const hungAt = performance.now()
  const before = primary.connections()
  await Promise.all(inserting)
  expectWithin(performance.now() - hungAt, NOTICED_WITHIN_MS)
  // One check and one search found out, however many statements waited. The sessions are ended in the background.
  expect(primary.connections() - before).toBeLessThanOrEqual(4)
  expect(await run(db, 'select id from users')).toHaveLength(CONNECTIONS)
})

test('Without a new primary, calls fail in a bounded time, and go on when the primary responds again', async () => {
  const { db, hosts } = await open({ acquireTimeoutMs: 1_500 })
  await run(db, 'select 1')
  hang(hosts[0])
  for (let calls = 0; calls < 3; calls++) {
    const startedAt = performance.now()
    await expect(run(db, 'select id from users')).rejects.toThrow()
    expectWithin(performance.now() - startedAt, NOTICED_WITHIN_MS)
  }
  hosts[0].enable()
  await eventually(() => run(db, 'select id from users').catch(String)).toEqual([])
})

test('A COMMIT on a primary that hangs has an unknown outcome after the bounded wait', async () => {
  const { db, hosts } = await open()
  const [primary, replica] = hosts
  const isLost = primary.inject('blackhole', /^commit$/)
  const hungAt = performance.now()
  const inserting = transact(db, (tx) => tx.insertInto('users').values({ name: 'Ada' }).execute())
  const failed = inserting.catch((error: unknown) => error)
  await eventually(isLost).toBe(1)
  hang(primary)
  replica.setReadOnly(false)
  expect(await failed).toBeInstanceOf(CommitUnknownError)
  expectWithin(performance.now() - hungAt, NOTICED_WITHIN_MS)
})

test('A slow statement on a primary that responds is not broken', async () => {
  const { db } = await open()
  expect(await run(db, 'select sleep(7) as slept')).toEqual([{ slept: 0 }])
})

test('While one connection is dead and the primary responds, other statements go on', async () => {
  const { db, hosts } = await open()
  const isLost = hosts[0].inject('blackhole', /^select 2/)
  const dead = run(db, 'select 2').catch((error: unknown) => error)
  await eventually(isLost).toBe(1)
  expect(await run(db, 'select sleep(7) as slept')).toEqual([{ slept: 0 }])
  hang(hosts[0])
  expect(await dead).toMatchObject({ code: 'SERVER_UNRESPONSIVE' })
})

test('A checkout whose COMMIT is under way when the primary hangs is made once, and answered from the new primary', async () => {
  await using several = await openSeveralHosts(databaseUrl(), 2)
  const [primary, replica] = several.hosts as [FaultProxy, FaultProxy]
  await using shop = await openShop({ behind: () => several.url, database: { acquireTimeoutMs: 5_000 } })
  const product = await shop.givenProduct({ price: 3, stock: 100 })
  const { client } = await shop.givenUser({ points: 100 })
  // The COMMIT takes effect. In a cluster, the new primary has it.
  const isLost = primary.inject('hang', /^commit$/)
  const startedAt = performance.now()
  const checkout = client.orders.checkout.mutate({ items: [item(product)], idempotencyKey: newKey() })
  await eventually(isLost).toBe(1)
  hang(primary)
  replica.setReadOnly(false)
  expect(await checkout).toMatchObject({ balance: 97, replayed: false })
  expectWithin(performance.now() - startedAt, NOTICED_WITHIN_MS)
})
