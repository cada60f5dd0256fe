import { type ConnectOptions, connect, DatabaseBusyError, type Pool, transact } from '@pointwise/db'
import { createConnection } from 'mysql2/promise'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'

let observer: Pool
let proxy: FaultProxy
beforeEach(async () => {
  ;({ db: observer } = await emptyDatabase())
  await transact(observer, (tx) => tx.insertInto('users').values({ name: 'Ada' }).execute())
  proxy = await faultProxy(databaseUrl())
  onTestFinished(async () => {
    await proxy.close()
    await observer.destroy()
  })
})

/** By itself, the server would end a session only after a day. */
function open(options: ConnectOptions = {}): Pool {
  const db = connect(proxy.url, { statementTimeoutMs: 1_000, closeAfterIdleMs: 100_000_000, ...options })
  onTestFinished(() => db.destroy())
  return db
}

/** Locks the row and then runs a statement that is given up. */
const lockAndRun = (db: Pool, statement: string) =>
  transact(
    db,
    async (tx) => {
      await tx.updateTable('users').set({ name: 'Ben' }).execute()
      await run(tx, statement)
    },
    { isNonRetryable: () => true },
  )

const readLocked = () => transact(observer, (tx) => run(tx, 'select name from users for update nowait'))

describe('the session of a statement that was given up is ended, so that its locks are released', () => {
  test('when the route to the server is broken', async () => {
    const db = open()
    proxy.inject('blackhole', /from stores/)
    await expect(lockAndRun(db, 'select id from stores')).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
    await eventually(() => readLocked().catch(() => undefined)).toEqual([{ name: 'Ada' }])
  })

  test('when the server executes the statement for long', async () => {
    const db = open()
    await expect(lockAndRun(db, 'do sleep(100000)')).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
    await eventually(() => readLocked().catch(() => undefined)).toEqual([{ name: 'Ada' }])
  })

  test('when the connection was closed on the way while the server executes the statement', async () => {
    const db = open({ statementTimeoutMs: 600_000 })
    const failing = lockAndRun(db, 'do sleep(100000)')
    await eventually(() =>
      run(observer, "select 1 from information_schema.processlist where info = 'do sleep(100000)'"),
    ).toHaveLength(1)
    proxy.disable()
    await expect(failing).rejects.toMatchObject({ fatal: true })
    proxy.enable()
    await eventually(() => readLocked().catch(() => undefined)).toEqual([{ name: 'Ada' }])
  })

  test('after the server can be reached again', async () => {
    const db = open({ acquireTimeoutMs: 2_000 })
    proxy.inject('blackhole', /from stores/)
    const failing = lockAndRun(db, 'select id from stores')
    await eventually(() => proxy.queries.flat().some((sql) => sql.includes('from stores'))).toBe(true)
    proxy.stall()
    await expect(failing).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
    await expect(readLocked()).rejects.toBeInstanceOf(DatabaseBusyError)
    proxy.enable()
    await eventually(() => readLocked().catch(() => undefined)).toEqual([{ name: 'Ada' }])
  })

  test('when all connections of the pool are in use', async () => {
    const db = open({ connections: 1, acquireTimeoutMs: 60_000 })
    proxy.inject('blackhole', /from stores/)
    const failing = lockAndRun(db, 'select id from stores')
    const next = transact(db, (tx) => run(tx, 'select name from users for update'))
    await expect(failing).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
    expect(await next).toEqual([{ name: 'Ada' }])
  })
})

test('no other session is ended', async () => {
  const db = open()
  const held = await createConnection(databaseUrl())
  onTestFinished(() => held.end())
  proxy.inject('blackhole', /from stores/)
  await expect(lockAndRun(db, 'select id from stores')).rejects.toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
  await eventually(() => readLocked().catch(() => undefined)).toEqual([{ name: 'Ada' }])
  expect(await held.query('select 1').then(() => 'open')).toBe('open')
  const kills = () => proxy.queries.flat().filter((sql) => sql.startsWith('kill'))
  expect(kills()).toHaveLength(1)
})

test('a statement that waits for a metadata lock fails after the lock wait timeout, and is retried', async () => {
  const reader = await createConnection(databaseUrl())
  const changer = await createConnection(databaseUrl())
  await reader.query('begin')
  await reader.query('select count(*) from users')
  const change = changer.query("alter table users comment = 'changed'")
  await eventually(() =>
    run(observer, "select 1 from information_schema.processlist where state like 'Waiting for%metadata lock'"),
  ).not.toHaveLength(0)
  const db = open({ statementTimeoutMs: 600_000 })
  await expect(run(db, 'select name from users')).rejects.toMatchObject({ errno: 1205 })
  const reasons: unknown[] = []
  const names = await transact(db, (tx) => run(tx, 'select name from users for update'), {
    onFailedAttempt: async ({ reason }) => {
      reasons.push(reason)
      await reader.query('commit')
    },
  })
  expect(names).toEqual([{ name: 'Ada' }])
  expect(reasons).toEqual([1205])
  await change
  await reader.end()
  await changer.end()
})
