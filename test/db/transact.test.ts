import { DatabaseBusyError, Deadline, DeadlineExceededError, type Pool, type Tx, transact } from '@pointwise/db'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'

let db: Pool
beforeEach(async () => {
  ;({ db } = await emptyDatabase({ connections: 4, lockWaitSeconds: 1 }))
})
afterEach(() => db.destroy())

const insertUser = (tx: Tx, name: string) => tx.insertInto('users').values({ name, name_key: name }).execute()
const lockUser = (tx: Tx, name: string) =>
  tx.selectFrom('users').select('id').where('name', '=', name).forUpdate().executeTakeFirst()
const names = async () => (await db.selectFrom('users').select('name').orderBy('id').execute()).map(({ name }) => name)

/** Locks a user until `release`. */
async function lockUserUntilRelease(name: string): Promise<{ release: () => Promise<void> }> {
  const locked = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const transaction = transact(db, async (tx) => {
    await lockUser(tx, name)
    locked.resolve()
    await end.promise
  })
  await Promise.race([locked.promise, transaction])
  return {
    release: () => {
      end.resolve()
      return transaction
    },
  }
}

test('a transaction commits its writes and returns the value of its callback', async () => {
  const value = await transact(db, async (tx) => {
    await insertUser(tx, 'Ada')
    return 42
  })
  expect(value).toBe(42)
  expect(await names()).toEqual(['Ada'])
})

test('an error of the callback rolls back, is not retried, and is rethrown unchanged', async () => {
  const refusal = new Error('refused')
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

test('uncommitted writes are invisible to others, and each read sees what others have committed', async () => {
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

test('the victim of a deadlock is retried, and both transactions commit', async () => {
  await transact(db, async (tx) => {
    await insertUser(tx, 'Ada')
    await insertUser(tx, 'Ben')
  })
  const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  let attempts = 0
  const lockBoth = (own: 0 | 1, first: string, second: string) =>
    transact(db, async (tx) => {
      attempts++
      await lockUser(tx, first)
      locked[own].resolve()
      await Promise.all(locked.map(({ promise }) => promise))
      await lockUser(tx, second)
      await insertUser(tx, `${first} and ${second}`)
    })
  await Promise.all([lockBoth(0, 'Ada', 'Ben'), lockBoth(1, 'Ben', 'Ada')])
  expect(attempts).toBe(3)
  expect((await names()).toSorted()).toEqual(['Ada', 'Ada and Ben', 'Ben', 'Ben and Ada'])
})

test('after a lock wait timeout, the whole callback runs again in a new transaction', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  const holder = await lockUserUntilRelease('Ada')
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

test('after three retries, a transaction rejects with DatabaseBusyError and writes nothing', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  const holder = await lockUserUntilRelease('Ada')
  let attempts = 0
  const error = await transact(db, async (tx) => {
    attempts++
    await insertUser(tx, `attempt ${attempts}`)
    await tx.selectFrom('users').select('id').where('name', '=', 'Ada').forUpdate().noWait().execute()
  }).catch((error: unknown) => error)
  await holder.release()
  expect(error).toBeInstanceOf(DatabaseBusyError)
  // NOWAIT fails with its own errno on MySQL, and with that of a lock wait timeout on MariaDB.
  expect([3572, 1205]).toContain(((error as DatabaseBusyError).cause as { errno: number }).errno)
  expect(attempts).toBe(4)
  expect(await names()).toEqual(['Ada'])
})

test('after a duplicate key, the callback runs again and finds the row of the other transaction', async () => {
  let attempts = 0
  const found = await transact(db, async (tx) => {
    attempts++
    const earlier = await lockUser(tx, 'Ada')
    if (earlier) return earlier.id
    await transact(db, (other) => insertUser(other, 'Ada'))
    await insertUser(tx, 'Ada')
    return undefined
  })
  expect(attempts).toBe(2)
  expect(await run(db, 'select id from users')).toEqual([{ id: found }])
})

test('a duplicate key in every attempt is rethrown unchanged', async () => {
  await transact(db, (tx) => insertUser(tx, 'Ada'))
  let attempts = 0
  const error = await transact(db, (tx) => {
    attempts++
    return insertUser(tx, 'Ada')
  }).catch((error: unknown) => error)
  expect(error).toMatchObject({ errno: 1062 })
  expect(attempts).toBe(4)
})

test('any other failed statement is rethrown without a retry', async () => {
  let attempts = 0
  const error = await transact(db, (tx) => {
    attempts++
    return insertUser(tx, 'x'.repeat(151))
  }).catch((error: unknown) => error)
  expect(error).toMatchObject({ errno: 1406 })
  expect(attempts).toBe(1)
})

describe('a deadline', () => {
  const HOUR_MS = 3_600_000
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())
  const inAnHour = () => new Deadline(Date.now() + HOUR_MS)

  test('that has not passed changes nothing', async () => {
    await transact(db, (tx) => insertUser(tx, 'Ada'), { deadline: inAnHour() })
    expect(await names()).toEqual(['Ada'])
  })

  test('that has passed prevents the first attempt', async () => {
    const work = vi.fn(() => Promise.resolve())
    await expect(transact(db, work, { deadline: new Deadline(Date.now()) })).rejects.toThrow(DeadlineExceededError)
    expect(work).not.toHaveBeenCalled()
  })

  test('that passes during an attempt prevents COMMIT', async () => {
    const deadline = inAnHour()
    const late = transact(
      db,
      async (tx) => {
        await insertUser(tx, 'Ada')
        vi.setSystemTime(deadline.at)
      },
      { deadline },
    )
    await expect(late).rejects.toThrow(DeadlineExceededError)
    expect(await names()).toEqual([])
    expect(await run(db, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('that passes during an attempt which fails for a transient reason prevents a retry', async () => {
    const deadline = inAnHour()
    const deadlock = Object.assign(new Error('Deadlock found'), { errno: 1213 })
    let attempts = 0
    const late = transact(
      db,
      async () => {
        attempts++
        vi.setSystemTime(deadline.at)
        throw deadlock
      },
      { deadline },
    )
    await expect(late).rejects.toMatchObject({ name: 'DeadlineExceededError', cause: deadlock })
    expect(attempts).toBe(1)
  })

  test('passes on time although the system clock is set back', async () => {
    const deadline = new Deadline(Date.now() + 20)
    vi.setSystemTime(Date.now() - HOUR_MS)
    await eventually(() => deadline.hasPassed).toBe(true)
  })

  test('passes on time although the monotonic clock stood still', () => {
    const deadline = inAnHour()
    vi.setSystemTime(deadline.at - 1)
    expect(deadline.hasPassed).toBe(false)
    vi.setSystemTime(deadline.at)
    expect(deadline.hasPassed).toBe(true)
  })
})
