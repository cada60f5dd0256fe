import { type ConnectOptions, connect, type Pool, type Reader, transact } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'

const CONNECTIONS = 5
const LONG_MS = 600_000

/** A test that sends a statement on a dead connection fails after the statement timeout. */
const PATIENT: ConnectOptions = { connections: CONNECTIONS, acquireTimeoutMs: 60_000, statementTimeoutMs: 30_000 }

async function openBehindProxy(options: ConnectOptions): Promise<{ db: Pool; proxy: FaultProxy }> {
  await emptyDatabase().then(({ db }) => db.destroy())
  const proxy = await faultProxy(databaseUrl())
  const db = connect(proxy.url, { ...PATIENT, ...options })
  onTestFinished(async () => {
    await proxy.close()
    await db.destroy()
  })
  return { db, proxy }
}

const connectionId = async (db: Reader) => (await run<{ id: number }>(db, 'select connection_id() as id'))[0]?.id

/** Opens every connection of a pool, and leaves them idle. Returns their ids. */
async function openAll(db: Pool): Promise<unknown[]> {
  let open = 0
  const allOpen = Promise.withResolvers<void>()
  return Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      transact(db, async (tx) => {
        const id = await connectionId(tx)
        if (++open === CONNECTIONS) allOpen.resolve()
        await allOpen.promise
        return id
      }),
    ),
  )
}

test('when a connection that was idle does not respond, all that were idle are replaced after one check', async () => {
  const { db, proxy } = await openBehindProxy({ checkAfterIdleMs: 0 })
  const before = await openAll(db)
  expect(proxy.forget()).toBe(CONNECTIONS)
  const pings = proxy.pings()
  const first = await connectionId(db)
  expect(before).not.toContain(first)
  expect(proxy.pings()).toBe(pings + 1)
  expect((await openAll(db)).filter((id) => before.includes(id))).toEqual([])
})

test('calls at the same time check the idle connections at the same time, and all get a new one', async () => {
  const { db, proxy } = await openBehindProxy({ checkAfterIdleMs: 0 })
  const before = await openAll(db)
  proxy.forget()
  const pings = proxy.pings()
  const after = await openAll(db)
  expect(after.filter((id) => before.includes(id))).toEqual([])
  expect(proxy.pings()).toBe(pings + CONNECTIONS)
})

test('a connection that was idle and responds is used', async () => {
  const { db, proxy } = await openBehindProxy({ checkAfterIdleMs: 0, checkTimeoutMs: 60_000, connections: 1 })
  const first = await connectionId(db)
  const pings = proxy.pings()
  expect(await connectionId(db)).toBe(first)
  expect(proxy.pings()).toBe(pings + 1)
})

test('a connection that was used shortly before is not checked', async () => {
  const { db, proxy } = await openBehindProxy({ checkAfterIdleMs: LONG_MS })
  await openAll(db)
  await openAll(db)
  expect(proxy.pings()).toBe(0)
})

test('when a statement is given up, the connections that were idle meanwhile are checked, even if used shortly before', async () => {
  const { db, proxy } = await openBehindProxy({ checkAfterIdleMs: LONG_MS, statementTimeoutMs: 1_000 })
  const before = await openAll(db)
  proxy.forget()
  await expect(connectionId(db)).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
  expect(before).not.toContain(await connectionId(db))
  expect(proxy.pings()).toBe(1)
})

test('connections that are idle for long are closed', async () => {
  const { db } = await openBehindProxy({ closeAfterIdleMs: 10 })
  const { db: observer } = await emptyDatabase()
  onTestFinished(() => observer.destroy())
  const ids = await openAll(db)
  const sessions = `select id from information_schema.processlist where id in (${ids.join()})`
  await eventually(() => run(observer, sessions)).toEqual([])
  expect(ids).not.toContain(await connectionId(db))
})

test('the server ends a session without statements later than the pool closes its connection', async () => {
  const { db } = await openBehindProxy({ closeAfterIdleMs: 20_000 })
  expect(await run(db, 'select @@session.wait_timeout as seconds')).toEqual([{ seconds: 50 }])
})
