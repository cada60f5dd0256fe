import { DatabaseBusyError, type Pool, type Tx, transact } from '@pointwise/db'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'

let db: Pool
beforeEach(async () => {
  ;({ db } = await emptyDatabase({ connections: 4, lockWaitSeconds: 1 }))
})
afterEach(() => db.destroy())

const insertUser = (tx: Tx, name: string) => tx.insertInto('users').values({ name }).execute()
const lockUser = (tx: Tx, name: string) =>
  tx.selectFrom('users').select('id').where('name', '=', name).forUpdate().executeTakeFirst()
const names = async () => (await db.selectFrom('users').select('name').orderBy('id').execute()).map(({ name }) => name)

/** Keeps a user locked until `release`. */
async function holdUser(name: string): Promise<{ release: () => Promise<void> }> {
  const isHeld = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const holding = transact(db, async (tx) => {
    await lockUser(tx, name)
    isHeld.resolve()
    await end.promise
  })
  await Promise.race([isHeld.promise, holding])
  return {
    release: () => {
      end.resolve()
      return holding
    },
  }
}

test('what the work wrote is there when it returns, and its value is passed on', async () => {
  const value = await transact(db, async (tx) => {
    await insertUser(tx, 'Ada')
    return 42
  })
  expect(value).toBe(42)
  expect(await names()).toEqual(['Ada'])
})

test('nothing is there when the work throws, and its own error is passed on, once', async () => {
  const refusal = new Error('a rule says no')
  let attempts = 0
  const failing = transact(db, async (tx) => {
    attempts++
    await insertUser(tx, 'Ada')
    throw refusal
  })
  await expect(failing).rejects.toBe(refusal)
  expect(attempts).toBe(1)
  expect(await names()).toEqual([])
})

test('nobody sees what is not committed, and the work sees what others commit meanwhile', async () => {
  const seen = await transact(db, async (tx) => {
    const before = await tx.selectFrom('users').select('name').execute()
    await transact(db, (other) => insertUser(other, 'Ada'))
    await insertUser(tx, 'Ben')
    const outside = await names()
    const after = await tx.selectFrom('users').select('name').orderBy('name').execute()
    return { before, outside, after }
  })
  expect(seen).toEqual({ before: [], outside: ['Ada'], after: [{ name: 'Ada' }, { name: 'Ben' }] })
})

test('the loser of a deadlock runs again, and both transactions happen', async () => {
  await transact(db, async (tx) => {
    await insertUser(tx, 'Ada')
    await insertUser(tx, 'Ben')
  })
  const bothHoldOne = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  let attempts = 0
  const lockBoth = (mine: 0 | 1, first: string, second: string) =>
    transact(db, async (tx) => {
      attempts++
      await lockUser(tx, first)
      bothHoldOne[mine].resolve()
      await Promise.all(bothHoldOne.map(({ promise }) => promise))
      await lockUser(tx, second)
      await insertUser(tx, `${first} and ${second}`)
    })
  await Promise.all([lockBoth(0, 'Ada', 'Ben'), lockBoth(1, 'Ben', 'Ada')])
  expect(attempts).toBe(3)
  expect((await names()).toSorted()).toEqual(['Ada', 'Ada and Ben', 'Ben', 'Ben and Ada'])
})

test('after a lock wait that took too long the whole work runs again, from a clean start', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  const holder = await holdUser('Ada')
  let attempts = 0
  await transact(db, async (tx) => {
    attempts++
    await insertUser(tx, `attempt ${attempts}`)
    if (attempts === 2) await holder.release()
    await lockUser(tx, 'Ada')
  })
  expect(attempts).toBe(2)
  expect(await names()).toEqual(['Ada', 'attempt 2'])
})

test('after three retries the database is busy, with the last failure as the cause, and nothing is written', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  const holder = await holdUser('Ada')
  let attempts = 0
  const error = await transact(db, async (tx) => {
    attempts++
    await insertUser(tx, `attempt ${attempts}`)
    await tx.selectFrom('users').select('id').where('name', '=', 'Ada').forUpdate().noWait().execute()
  }).catch((error: unknown) => error)
  await holder.release()
  expect(error).toBeInstanceOf(DatabaseBusyError)
  // NOWAIT has a number of its own on MySQL and that of a lock wait on MariaDB.
  expect([3572, 1205]).toContain(((error as DatabaseBusyError).cause as { errno: number }).errno)
  expect(attempts).toBe(4)
  expect(await names()).toEqual(['Ada'])
})

test('after a duplicate key the work runs again and finds the row that was faster', async () => {
  let attempts = 0
  const found = await transact(db, async (tx) => {
    attempts++
    const earlier = await lockUser(tx, 'Ada')
    if (earlier) return earlier.id
    await transact(db, (faster) => insertUser(faster, 'Ada'))
    await insertUser(tx, 'Ada')
    return undefined
  })
  expect(attempts).toBe(2)
  expect(await run(db, 'select id from users')).toEqual([{ id: found }])
})

test('a duplicate key that no retry heals is told as what it is', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  let attempts = 0
  const error = await transact(db, (tx) => {
    attempts++
    return insertUser(tx, 'Ada')
  }).catch((error: unknown) => error)
  expect(error).toMatchObject({ errno: 1062 })
  expect(attempts).toBe(4)
})

test('any other failure of a statement is passed on at once', async () => {
  let attempts = 0
  const error = await transact(db, (tx) => {
    attempts++
    return insertUser(tx, 'x'.repeat(151))
  }).catch((error: unknown) => error)
  expect(error).toMatchObject({ errno: 1406 })
  expect(attempts).toBe(1)
})
