import { CommitUnknownError, connect, DatabaseBusyError, type Pool, transact } from '@pointwise/db'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { type Fault, type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'

let proxy: FaultProxy
let db: Pool
beforeAll(async () => {
  proxy = await faultProxy(databaseUrl())
})
afterAll(() => proxy.close())
beforeEach(async () => {
  await emptyDatabase().then((empty) => empty.db.destroy())
  db = connect(proxy.url, { acquireTimeoutMs: 60_000 })
  return async () => {
    proxy.clear()
    await db.destroy()
  }
})

async function insertUser(): Promise<{ attempts: number; result: unknown }> {
  let attempts = 0
  const work = transact(db, (tx) => {
    attempts++
    return tx
      .insertInto('users')
      .values({ name: `attempt ${attempts}` })
      .execute()
  })
  const result = await work.then(
    () => 'committed',
    (error: unknown) => error,
  )
  return { attempts, result }
}

const names = () => run<{ name: string }>(db, 'select name from users')
const DEADLOCK = "Got error 149 - ''Lock deadlock; Retry transaction'' during COMMIT"

test.each<[string, Fault]>([
  ['1213: a deadlock, or no certification by Galera', { errno: 1213 }],
  ['1205: a lock wait', { errno: 1205 }],
  ['1020: a changed record', { errno: 1020 }],
  ['1290: a server that became read-only', { errno: 1290 }],
  ['1836: a server in read-only mode', { errno: 1836 }],
  ['1792: a read-only transaction', { errno: 1792 }],
  ['1047: a Galera node without a quorum', { errno: 1047 }],
  ['1180 with 149: a deadlock of the storage engine', { errno: 1180, message: DEADLOCK }],
])('COMMIT that fails with %s is rolled back, and the work is done once more', async (_, fault) => {
  proxy.inject(fault, /^commit$/)
  expect(await insertUser()).toEqual({ attempts: 2, result: 'committed' })
  expect(await names()).toEqual([{ name: 'attempt 2' }])
})

test.each<[string, Fault]>([
  ['3100: Group Replication could not take part', { errno: 3100 }],
  ['3101: Group Replication did not certify, or the member leaves its group', { errno: 3101 }],
  ['1180 with another error', { errno: 1180, message: 'Got error 6 during COMMIT' }],
  ['1053: the server is shutting down', { errno: 1053 }],
  ['1105: Vitess replaces the primary', { errno: 1105, message: 'target: shop.0.primary: primary is not serving' }],
  ['1317: the statement was interrupted', { errno: 1317 }],
  ['2013: Vitess lost its MySQL server', { errno: 2013 }],
  ['3169: the session was killed', { errno: 3169 }],
  ['a lost connection', 'disconnect before'],
])('COMMIT that fails with %s has an unknown outcome, and nothing is repeated', async (_, fault) => {
  proxy.inject(fault, /^commit$/)
  expect(await insertUser()).toEqual({ attempts: 1, result: expect.any(CommitUnknownError) })
})

test.each([1290, 1836, 1792, 1047, 1053, 1317, 2002, 2003, 2006, 2013, 3032, 3100, 3101, 3169, 3796, 3797, 3798])(
  'a statement before COMMIT that fails with %i is transient: the work is done once more',
  async (errno) => {
    proxy.inject({ errno }, /^insert/)
    expect(await insertUser()).toEqual({ attempts: 2, result: 'committed' })
    expect(await names()).toEqual([{ name: 'attempt 2' }])
  },
)

test('a statement that fails with 1180 and 149 is transient, and with another error it is not', async () => {
  proxy.inject({ errno: 1180, message: DEADLOCK }, /^insert/, 4)
  expect(await insertUser()).toEqual({ attempts: 4, result: expect.any(DatabaseBusyError) })
  proxy.inject({ errno: 1180 }, /^insert/)
  expect(await insertUser()).toMatchObject({ attempts: 1, result: { errno: 1180 } })
})

test.each([
  'target: shop.0.primary: primary is not serving, there may be a reparent operation in progress',
  "target: shop.0.primary: no healthy tablet available for ''keyspace:shop''",
  'target: shop.0.primary: vttablet: rpc error: code = ClusterEvent desc = operation not allowed in state NOT_SERVING',
  'VT15001: transaction error, issue a rollback query',
])(
  'a statement that fails with 1105 of Vitess is transient while the primary is being replaced (%s)',
  async (message) => {
    proxy.inject({ errno: 1105, message }, /^insert/)
    expect(await insertUser()).toEqual({ attempts: 2, result: 'committed' })
  },
)

test('a statement that fails with 1105 for another reason is not repeated', async () => {
  proxy.inject({ errno: 1105, message: 'VT12001: unsupported' }, /^insert/)
  expect(await insertUser()).toMatchObject({ attempts: 1, result: { errno: 1105 } })
})
