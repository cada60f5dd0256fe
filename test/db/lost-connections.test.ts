import { CommitUnknownError, connect, DatabaseBusyError, type Pool, type Tx, transact } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

let db: Pool
let url: string
beforeEach(async () => {
  ;({ db, url } = await emptyDatabase())
})
afterEach(() => db.destroy())

const connectionId: RawBuilder<number> = sql`connection_id()`
const insertUser = (tx: Tx, name: string) => tx.insertInto('users').values({ name }).execute()
const names = async () => (await db.selectFrom('users').select('name').orderBy('id').execute()).map(({ name }) => name)

/** Kills the connection of a transaction, and resolves when the server has removed it from its process list. */
async function kill(tx: Tx): Promise<void> {
  const { id } = await tx.selectNoFrom(connectionId.as('id')).executeTakeFirstOrThrow()
  await transact(db, async (other) => {
    await sql`kill ${sql.lit(id)}`.execute(other)
    for (let isThere = true; isThere; ) {
      const found = await sql`select 1 from information_schema.processlist where id = ${id}`.execute(other)
      isThere = found.rows.length > 0
    }
  })
}

test('a transaction whose connection is killed is retried on another connection, and commits once', async () => {
  let attempts = 0
  await transact(db, async (tx) => {
    attempts++
    await insertUser(tx, `before ${attempts}`)
    if (attempts === 1) await kill(tx)
    await insertUser(tx, `after ${attempts}`)
  })
  expect(attempts).toBe(2)
  expect(await names()).toEqual(['before 2', 'after 2'])
})

test('a transaction whose connection is killed in every attempt writes nothing', async () => {
  let attempts = 0
  const failing = transact(db, async (tx) => {
    attempts++
    await insertUser(tx, `user ${attempts}`)
    await kill(tx)
    await insertUser(tx, 'never')
  })
  await expect(failing).rejects.toBeInstanceOf(DatabaseBusyError)
  expect(attempts).toBe(4)
  expect(await names()).toEqual([])
})

test('an error of the callback is rethrown unchanged when the connection is lost before the rollback', async () => {
  const refusal = new Error('refused')
  const failing = transact(db, async (tx) => {
    await insertUser(tx, 'Ada')
    await kill(tx)
    throw refusal
  })
  await expect(failing).rejects.toBe(refusal)
  expect(await names()).toEqual([])
})

describe('a connection lost at COMMIT', () => {
  for (const [when, written] of [
    ['before', []],
    ['after', ['Ada']],
  ] as const) {
    test(`${when} the server has executed it rejects with CommitUnknownError and is not retried`, async () => {
      await using proxy = await faultProxy(url)
      const disconnects = proxy.inject(`disconnect ${when}`, /^commit$/, Number.POSITIVE_INFINITY)
      const proxied = connect(proxy.url)
      let attempts = 0
      const error = await transact(proxied, (tx) => {
        attempts++
        return insertUser(tx, 'Ada')
      }).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(CommitUnknownError)
      expect((error as CommitUnknownError).cause).toBeInstanceOf(Error)
      expect({ attempts, disconnects: disconnects() }).toEqual({ attempts: 1, disconnects: 1 })
      expect(await names()).toEqual(written)

      expect(await proxied.selectFrom('users').select('name').execute()).toHaveLength(written.length)
      await proxied.destroy()
    })
  }
})

test('a connection lost at BEGIN is replaced in each retry', async () => {
  await using proxy = await faultProxy(url)
  const disconnects = proxy.inject('disconnect after', /^begin$/, Number.POSITIVE_INFINITY)
  const proxied = connect(proxy.url)
  let attempts = 0
  const failing = transact(proxied, (tx) => {
    attempts++
    return insertUser(tx, 'Ada')
  })
  await expect(failing).rejects.toBeInstanceOf(DatabaseBusyError)
  expect({ attempts, disconnects: disconnects() }).toEqual({ attempts: 4, disconnects: 4 })
  expect(await names()).toEqual([])
  await proxied.destroy()
})

test('a database that stops responding fails COMMIT after the statement timeout, and the rollback does not wait', async () => {
  await using proxy = await faultProxy(url)
  proxy.inject('blackhole', /^commit$/)
  const proxied = connect(proxy.url, { statementTimeoutMs: 1_000 })
  await expect(transact(proxied, (tx) => insertUser(tx, 'Ada'))).rejects.toBeInstanceOf(CommitUnknownError)
  await eventually(() => transact(db, (tx) => tx.selectFrom('users').forUpdate().select('name').execute())).toEqual([])
  await proxied.destroy()
})
