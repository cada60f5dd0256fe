import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import {
  AcquireTimeoutError,
  type ConnectOptions,
  connect,
  DatabaseBusyError,
  type FailedAttempt,
  type Pool,
  type Reader,
  type Tables,
  transact,
} from '@pointwise/db'
import type { Kysely } from 'kysely'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

async function open(options: ConnectOptions): Promise<Pool> {
  const { db } = await emptyDatabase(options)
  onTestFinished(() => db.destroy())
  return db
}

/** Runs statements on one connection, and releases it in the state they left it in. */
async function runOnOne(db: Pool, ...statements: string[]): Promise<void> {
  await (db as unknown as Kysely<Tables>).connection().execute(async (connection) => {
    for (const statement of statements) await run(connection, statement)
  })
}

const connectionId = async (db: Reader) => (await run<{ id: number }>(db, 'select connection_id() as id'))[0]?.id

test.each([1290, 1836])(
  'a connection whose server rejects a write as read-only (%i) is replaced before the retry',
  async (errno) => {
    await using proxy = await faultProxy(databaseUrl())
    await emptyDatabase().then(({ db }) => db.destroy())
    const db = connect(proxy.url, { connections: 1 })
    onTestFinished(() => db.destroy())
    const before = await connectionId(db)
    proxy.inject({ errno }, /^update/)
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

/** Checks out one connection until `release`. */
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

test('a connection is reused after a transaction, a rollback or a failed statement', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await transact(db, (tx) => tx.insertInto('users').values({ name: 'Ada' }).execute())
  await transact(db, () => Promise.reject(new Error('rolled back'))).catch(() => undefined)
  await run(db, 'select * from nowhere').catch(() => undefined)
  expect(await connectionId(db)).toBe(first)
})

test('a connection released inside a transaction is destroyed, so the next user of the pool does not commit it', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await runOnOne(db, 'begin', "insert into users (name) values ('Ada')")
  await transact(db, (tx) => tx.insertInto('users').values({ name: 'Ben' }).execute())
  expect(await connectionId(db)).not.toBe(first)
  expect(await run(db, "select name from users where name = 'Ada'")).toEqual([])
})

test('a connection released inside a transaction that began with autocommit off is destroyed', async () => {
  const db = await open({ connections: 1 })
  const first = await connectionId(db)
  await runOnOne(db, 'set autocommit = 0', "insert into users (name) values ('Ada')")
  expect(await connectionId(db)).not.toBe(first)
  expect(await run(db, 'select name from users')).toEqual([])
})

test('a connection whose statement timed out is destroyed without waiting for the response', async () => {
  await emptyDatabase().then(({ db }) => db.destroy())
  await using proxy = await faultProxy(databaseUrl())
  const db = connect(proxy.url, { connections: 1, statementTimeoutMs: 1_000 })
  onTestFinished(() => db.destroy())
  const first = await connectionId(db)
  proxy.inject('hang', /from users/)
  await expect(run(db, 'select id from users')).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
  expect(await connectionId(db)).not.toBe(first)
})

test('closing the pool during a statement that times out ends the transaction of that statement', async () => {
  await using proxy = await faultProxy(databaseUrl())
  const observer = await open({ lockWaitSeconds: 20, statementTimeoutMs: 30_000 })
  const db = connect(proxy.url, { connections: 1, statementTimeoutMs: 1_000 })
  // The database does not learn that the client has closed the connection.
  const isLost = proxy.inject('blackhole', /^select sleep/)
  const failing = transact(db, async (tx) => {
    await tx.insertInto('users').values({ name: 'Ada' }).execute()
    await run(tx, 'select sleep(0)')
  }).catch((error) => error)
  await eventually(isLost).toBe(1)
  await db.destroy()
  expect(await failing).toBeInstanceOf(Error)
  expect(await transact(observer, (tx) => run(tx, 'select id from users for update'))).toEqual([])
})

test('a transaction whose statement timed out is rolled back', async () => {
  const observer = await open({ lockWaitSeconds: 20, statementTimeoutMs: 30_000 })
  const db = connect(databaseUrl(), { connections: 1, statementTimeoutMs: 200 })
  onTestFinished(() => db.destroy())
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
  // The server may still run the statement. A locking read waits until the server has detected the disconnect.
  expect(await transact(observer, (tx) => run(tx, 'select id from users for update'))).toEqual([])
})

test('a connection that is killed while idle is replaced', async () => {
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

test('a wait for a connection times out with AcquireTimeoutError, and the pool works afterwards', async () => {
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

test('callers get connections in the order of their requests, and a caller that timed out leaves the queue', async () => {
  const db = await open({ connections: 1, acquireTimeoutMs: 1_000 })
  const held = await hold(db)
  const timedOut = run(db, 'select 1').catch((error: unknown) => error)
  expect(await timedOut).toBeInstanceOf(AcquireTimeoutError)
  const served: number[] = []
  const waiting = [1, 2, 3].map((n) => run(db, 'select 1').then(() => served.push(n)))
  await held.release()
  await Promise.all(waiting)
  expect(served).toEqual([1, 2, 3])
})

test('closing the pool immediately rejects the callers that wait for a connection', async () => {
  const { db } = await emptyDatabase({ connections: 1 })
  const held = await hold(db)
  const waiting = run(db, 'select 1').catch((error: unknown) => error)
  const closed = db.destroy()
  expect(await waiting).toMatchObject({ name: 'ConnectError', cause: { message: 'The pool is closed.' } })
  await held.release().catch(() => undefined)
  await closed
})

test('a transaction that gets no connection waits for one once, and rejects with DatabaseBusyError', async () => {
  const db = await open({ connections: 1, acquireTimeoutMs: 1_000 })
  const held = await hold(db)
  let attempts = 0
  const failures: FailedAttempt[] = []
  const error = await transact(db, async () => void attempts++, {
    onFailedAttempt: (failed) => failures.push(failed),
  }).catch((error: unknown) => error)
  await held.release()
  expect(failures).toEqual([{ reason: 'AcquireTimeoutError', isRetried: false }])
  expect(error).toBeInstanceOf(DatabaseBusyError)
  expect((error as DatabaseBusyError).cause).toBeInstanceOf(AcquireTimeoutError)
  expect(attempts).toBe(0)
})

describe('a locking read outside a transaction is rejected and not sent', () => {
  const LOCKING_READS = [
    'select id from users for update',
    'select id from users FOR UPDATE',
    'select id from users for update of `users`',
    'select id from users for update skip locked',
    'select id from users for update nowait',
    'select id from users for share',
    'select id from users for share skip locked',
    'select id from users for share nowait',
    'select id from users lock in share mode',
    'select id from users for update;\n',
  ]

  test.each(LOCKING_READS)('%j', async (statement) => {
    await using proxy = await faultProxy(databaseUrl())
    await emptyDatabase().then(({ db }) => db.destroy())
    const db = connect(proxy.url, { connections: 1 })
    onTestFinished(() => db.destroy())
    const before = await connectionId(db)
    await expect(run(db, statement)).rejects.toThrow(
      /^A locking read .* was called outside a transaction, and was not sent\. .* `transact`/,
    )
    expect(proxy.queries.flat().filter((sql) => sql.includes('from users'))).toEqual([])
    expect(await connectionId(db)).toBe(before)
  })

  test('built by the query builder, also after a transaction on the same connection has ended', async () => {
    const db = await open({ connections: 1 })
    const lockUsers = (reader: Reader) => reader.selectFrom('users').select('id').forUpdate().execute()
    await transact(db, async (tx) => {
      expect(await lockUsers(tx)).toEqual([])
      expect(await lockUsers(tx)).toEqual([])
    })
    await expect(lockUsers(db)).rejects.toThrow('A locking read')
    await transact(db, () => Promise.reject(new Error('rolled back'))).catch(() => undefined)
    await expect(lockUsers(db)).rejects.toThrow('A locking read')
  })

  test('but a statement that contains the words in a string or a name is sent', async () => {
    const db = await open({ connections: 1 })
    expect(await run(db, "select 'wait for update' as text")).toEqual([{ text: 'wait for update' }])
    expect(await run(db, 'select 1 as `for update`')).toEqual([{ 'for update': 1 }])
    const name = 'reserved for update'
    expect(await db.selectFrom('users').select('id').where('name', '=', name).execute()).toEqual([])
  })
})

test('a refused TCP connection is an immediate error, and a transaction rejects with DatabaseBusyError', async () => {
  const db = connect('mysql://root@127.0.0.1:1/nowhere')
  await expect(run(db, 'select 1')).rejects.toMatchObject({
    name: 'ConnectError',
    cause: { code: 'ECONNREFUSED' },
  })
  await expect(transact(db, async () => undefined)).rejects.toBeInstanceOf(DatabaseBusyError)
  await db.destroy()
})

/** A server that accepts connections and sends nothing. */
async function silentServer(): Promise<{ silent: Server; url: string }> {
  const silent = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  return { silent, url: `mysql://root@127.0.0.1:${(silent.address() as AddressInfo).port}/x` }
}

test('a server that accepts connections and sends nothing causes AcquireTimeoutError', async () => {
  const { url } = await silentServer()
  await expect(run(connect(url, { acquireTimeoutMs: 100 }), 'select 1')).rejects.toBeInstanceOf(AcquireTimeoutError)
})

test('a pool can be closed while it waits for a connection that is never established', async () => {
  const { silent, url } = await silentServer()
  const db = connect(url, { acquireTimeoutMs: 200 })
  const waiting = run(db, 'select 1').catch((error: unknown) => error)
  await once(silent, 'connection')
  await db.destroy()
  expect(await waiting).toBeInstanceOf(Error)
})
