import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import {
  AcquireTimeoutError,
  type ConnectOptions,
  connect,
  DatabaseBusyError,
  type Pool,
  type Reader,
  type Tables,
  transact,
} from '@pointwise/db'
import type { Kysely } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

async function open(options: ConnectOptions): Promise<Pool> {
  const { db } = await emptyDatabase(options)
  onTestFinished(() => db.destroy())
  return db
}

/** Runs statements on one connection, and gives it back as they left it. */
async function runOnOne(db: Pool, ...statements: string[]): Promise<void> {
  await (db as unknown as Kysely<Tables>).connection().execute(async (connection) => {
    for (const statement of statements) await run(connection, statement)
  })
}

const connectionId = async (db: Reader) => (await run<{ id: number }>(db, 'select connection_id() as id'))[0]?.id

test.each([1290, 1836])(
  'after a statement that is refused as read-only (%i), another connection is made',
  async (errno) => {
    await using cable = await faultProxy(databaseUrl())
    await emptyDatabase().then(({ db }) => db.destroy())
    const db = connect(cable.url, { connections: 1 })
    onTestFinished(() => db.destroy())
    const before = await connectionId(db)
    cable.plant({ errno }, /^update/)
    const attempts: unknown[] = []
    const after = await transact(
      db,
      async (tx) => {
        await tx.updateTable('users').set({ name: 'Ada' }).where('id', '=', 1).execute()
        return connectionId(tx)
      },
      { onFailedAttempt: ({ reason }) => attempts.push(reason) },
    )
    expect(attempts).toEqual([errno])
    expect(after).not.toBe(before)
  },
)

/** Keeps one connection busy until `release`. */
async function hold(db: Pool): Promise<{ release: () => Promise<void> }> {
  const isHeld = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const holding = transact(db, async () => {
    isHeld.resolve()
    await end.promise
  })
  await isHeld.promise
  return {
    release: () => {
      end.resolve()
      return holding
    },
  }
}

test('a connection is used again after it was given back in order', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await transact(db, (tx) => tx.insertInto('users').values({ name: 'Ada' }).execute())
  await transact(db, () => Promise.reject(new Error('no'))).catch(() => undefined)
  await run(db, 'select * from nowhere').catch(() => undefined)
  expect(await connectionId(db)).toBe(first)
})

test('a transaction that was left open is thrown away, not committed by the next borrower', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await runOnOne(db, 'begin', "insert into users (name) values ('Ada')")
  await transact(db, (tx) => tx.insertInto('users').values({ name: 'Ben' }).execute())
  expect(await connectionId(db)).not.toBe(first)
  expect(await run(db, "select name from users where name = 'Ada'")).toEqual([])
})

test('a transaction that began with autocommit off is thrown away as well', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await runOnOne(db, 'set autocommit = 0', "insert into users (name) values ('Ada')")
  expect(await connectionId(db)).not.toBe(first)
  expect(await run(db, 'select name from users')).toEqual([])
})

test('a connection whose statement took too long is given up, and nobody waits for it', async () => {
  const db = await open({ connections: 1, statementTimeoutMs: 200 })
  const first = await connectionId(db)
  await expect(run(db, 'select sleep(10)')).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
  const started = performance.now()
  expect(await connectionId(db)).not.toBe(first)
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a transaction whose statement took too long is undone', async () => {
  const db = await open({ connections: 1, statementTimeoutMs: 200 })
  const patient = connect(databaseUrl(), { lockWaitSeconds: 20, statementTimeoutMs: 30_000 })
  let attempts = 0
  const failing = transact(db, async (tx) => {
    attempts++
    await tx
      .insertInto('users')
      .values({ name: `attempt ${attempts}` })
      .execute()
    await run(tx, 'select sleep(1)')
  })
  await expect(failing).rejects.toBeInstanceOf(DatabaseBusyError)
  expect(attempts).toBe(4)
  // The server may still be sleeping; a locking read waits until it has noticed that nobody listens.
  expect(await run(patient, 'select id from users for update')).toEqual([])
  await patient.destroy()
})

test('a connection that was killed while idle is replaced', async () => {
  const db = await open({ connections: 2 })
  const held = await hold(db)
  const idle = await connectionId(db)
  await held.release()
  const killer = await open({})
  await run(killer, `kill ${idle}`)
  await eventually(() => run(killer, `select 1 from information_schema.processlist where id = ${idle}`)).toHaveLength(0)
  const all = await Promise.all([1, 2, 3, 4].map(() => transact(db, (tx) => connectionId(tx))))
  expect(all).not.toContain(idle)
})

test('a wait for a connection ends, with an error that names it, and the pool is whole afterwards', async () => {
  const db = await open({ connections: 1, acquireTimeoutMs: 1_000 })
  const held = await hold(db)
  const waiting = await Promise.allSettled(Array.from({ length: 20 }, () => run(db, 'select 1')))
  for (const outcome of waiting) {
    expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(AcquireTimeoutError)
  }
  await held.release()
  const first = await connectionId(db)
  expect(await Promise.all([1, 2, 3].map(() => connectionId(db)))).toEqual([first, first, first])
})

test('who waits for a connection gets it in the order of asking, and who gave up is out of the queue', async () => {
  const db = await open({ connections: 1, acquireTimeoutMs: 1_000 })
  const held = await hold(db)
  const gaveUp = run(db, 'select 1').catch((error: unknown) => error)
  expect(await gaveUp).toBeInstanceOf(AcquireTimeoutError)
  const served: number[] = []
  const waiting = [1, 2, 3].map((n) => run(db, 'select 1').then(() => served.push(n)))
  await held.release()
  await Promise.all(waiting)
  expect(served).toEqual([1, 2, 3])
})

test('who waits for a connection of a pool that is closed is told at once', async () => {
  const { db } = await emptyDatabase({ connections: 1 })
  const held = await hold(db)
  const waiting = run(db, 'select 1').catch((error: unknown) => error)
  const closed = db.destroy()
  expect(await waiting).toMatchObject({ message: 'Pool is closed.' })
  await held.release().catch(() => undefined)
  await closed
})

test('a transaction that gets no connection waits for one once, and tells that the database is busy', async () => {
  const db = await open({ connections: 1, acquireTimeoutMs: 1_000 })
  const held = await hold(db)
  let attempts = 0
  const started = performance.now()
  const error = await transact(db, async () => void attempts++).catch((error: unknown) => error)
  expect(performance.now() - started).toBeLessThan(2_000)
  await held.release()
  expect(error).toBeInstanceOf(DatabaseBusyError)
  expect((error as DatabaseBusyError).cause).toBeInstanceOf(AcquireTimeoutError)
  expect(attempts).toBe(0)
})

test('a server that is not there is an error at once, and no transaction happened', async () => {
  const db = connect('mysql://root@127.0.0.1:1/nowhere')
  await expect(run(db, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(transact(db, async () => undefined)).rejects.toBeInstanceOf(DatabaseBusyError)
  await db.destroy()
})

test('a server that says nothing for a while keeps no place in the pool taken', async () => {
  const { url, db: setup } = await emptyDatabase()
  await setup.destroy()
  await using proxy = await faultProxy(url)
  proxy.mute()
  const db = connect(proxy.url, { connections: 2, acquireTimeoutMs: 200 })
  const asked = await Promise.allSettled([1, 2, 3, 4].map(() => run(db, 'select 1')))
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
  proxy.plugIn()
  const started = performance.now()
  await eventually(() => run(db, 'select 1').catch(() => undefined)).toBeDefined()
  expect(performance.now() - started).toBeLessThan(1_000)
  await db.destroy()
})

/** A server that accepts connections and never says a word. */
async function silentServer(): Promise<{ silent: Server; url: string }> {
  const silent = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  return { silent, url: `mysql://root@127.0.0.1:${(silent.address() as AddressInfo).port}/x` }
}

test('a server that accepts connections and never says a word is an error within the bound', async () => {
  const { url } = await silentServer()
  await expect(run(connect(url, { acquireTimeoutMs: 100 }), 'select 1')).rejects.toBeInstanceOf(AcquireTimeoutError)
})

test('a pool is closed also while it waits for a connection that is never made', async () => {
  const { silent, url } = await silentServer()
  const db = connect(url, { acquireTimeoutMs: 200 })
  const asked = run(db, 'select 1').catch((error: unknown) => error)
  await once(silent, 'connection')
  await db.destroy()
  expect(await asked).toBeInstanceOf(Error)
})
