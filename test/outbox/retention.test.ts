import { connect, type Pool, transact } from '@pointwise/db'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { deleteEvents } from '../../server/src/outbox/horizon.ts'
import { deleteExpiredEvents, type RetentionOptions } from '../../server/src/outbox/retention.ts'
import { SubscriptionHub } from '../../server/src/subscriptions/hub.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { lockWaits } from '../setup/queued-calls.ts'
import { splitStatements } from '../setup/statements.ts'
import { openEventWriter } from '../subscriptions/event-writer.ts'
import { eventIds, insertEventsOfAges, moveRelay, readerFrom, readHorizon, removeRelays } from './retained-outbox.ts'

const DAY = 24
const RELAY = 'kafka:pointwise.events'
const OLD = Array<number>(5).fill(8 * DAY)

let url: string
let db: Pool
beforeEach(async () => {
  ;({ url, db } = await emptyDatabase({ lockWaitSeconds: 20 }))
  await removeRelays(db)
})
afterEach(async () => {
  await removeRelays(db)
  await db.destroy()
})

const retain = (options: Partial<RetentionOptions> = {}, pool = db) =>
  deleteExpiredEvents(pool, { retentionDays: 7, ...options })

/** What is left: the ids of the events, and the horizon. */
const state = async () => ({ events: await eventIds(db), horizon: await readHorizon(db) })

/** A pool of its own. Each of its statements is passed to `onStatement`. */
function observedPool(onStatement: (sql: string) => void): Pool {
  const pool = connect(url, {
    log: (event) => {
      for (const { sql } of splitStatements(event)) onStatement(sql)
    },
  })
  onTestFinished(() => pool.destroy())
  return pool
}

describe('Retention', () => {
  test('deletes the published events that are older than the time, and moves the horizon to the last of them', async () => {
    const [, second = 0, third = 0, ...rest] = await insertEventsOfAges(db, [
      9 * DAY,
      7 * DAY + 1,
      7 * DAY - 1,
      DAY - 1,
      0,
    ])
    await moveRelay(db, RELAY, rest.at(-1) ?? 0)
    expect(await retain()).toBe(2)
    expect(await state()).toEqual({ events: [third, ...rest], horizon: second })
    expect(await retain()).toBe(0)
    expect(await retain({ retentionDays: 1 })).toBe(1)
    expect(await state()).toEqual({ events: rest, horizon: third })
  })

  test('retains the newest published event whatever its age, so that readers find no deletion after it', async () => {
    const ids = await insertEventsOfAges(db, OLD)
    const last = ids.at(-1) ?? 0
    await moveRelay(db, RELAY, last)
    expect(await retain()).toBe(4)
    expect(await state()).toEqual({ events: [last], horizon: ids.at(-2) })
    expect(await retain()).toBe(0)

    const hub = new SubscriptionHub(db)
    const stream = () => hub.subscribe({ caller: 'user:1', topics: ['user:1'], toItem: ({ id }) => id, after: last })
    const open = await stream()
    const reader = readerFrom(db, last, { emptyMs: 0, uncommittedMs: 60_000 })
    expect(await reader.read()).toMatchObject({ rows: [] })
    const writer = await openEventWriter(url)
    await writer.begin()
    await writer.insert()
    await writer.rollback()
    const next = await writer.insert()
    // The new event is not published, so the old one remains while readers find out that the id between them is unused.
    expect(await retain()).toBe(0)
    await reader.read()
    expect(await reader.read()).toMatchObject({ rows: [{ id: next }] })
    expect(await open.next()).toMatchObject({ value: next })
    const resumed = await stream()
    expect(await resumed.next()).toMatchObject({ value: next })
    await Promise.all([open.return(), resumed.return()])

    await moveRelay(db, RELAY, next)
    expect(await retain()).toBe(1)
    expect(await state()).toEqual({ events: [next], horizon: last })
  })

  test('stops at the first event that is young, because ids ascend only roughly with the time', async () => {
    const ids = await insertEventsOfAges(db, [8 * DAY, DAY, 8 * DAY, 0])
    await moveRelay(db, RELAY, ids[3] ?? 0)
    expect(await retain()).toBe(1)
    expect(await state()).toEqual({ events: ids.slice(1), horizon: ids[0] })
  })

  test('does not delete above the slowest relay, and warns once a call which one it waits for', async () => {
    const ids = await insertEventsOfAges(db, [...OLD, ...OLD, 0])
    const [first, second, third, fourth] = ids
    await moveRelay(db, RELAY, ids.at(-1) ?? 0)
    await moveRelay(db, 'kafka:forgotten', third ?? 0)
    await moveRelay(db, 'other', first ?? 0)
    const warnings: unknown[] = []
    const onWarning = (...warning: unknown[]) => warnings.push(warning)
    expect(await retain({ onWarning, limit: 1 })).toBe(2)
    expect(await state()).toEqual({ events: ids.slice(2), horizon: second })
    const message = 'old events are not deleted until a relay has published them'
    expect(warnings).toEqual([[message, { cursor: 'kafka:forgotten', position: third }]])
    await moveRelay(db, 'kafka:forgotten', fourth ?? 0)
    expect(await retain()).toBe(1)
    await run(db, "delete from outbox_cursors where name = 'kafka:forgotten'")
    expect(await retain({ onWarning })).toBe(7)
    expect(await state()).toEqual({ events: ids.slice(-1), horizon: ids.at(-2) })
    expect(warnings).toHaveLength(1)
  })

  test('does not warn about young events that are not published', async () => {
    const [, second = 0] = await insertEventsOfAges(db, [8 * DAY, 8 * DAY, DAY, 0])
    await moveRelay(db, RELAY, second)
    expect(await retain({ onWarning: expect.unreachable })).toBe(1)
  })

  test('deletes nothing without a relay, because nothing was published', async () => {
    const before = await insertEventsOfAges(db, OLD)
    const horizon = await readHorizon(db)
    await moveRelay(db, 'other', 1_000_000)
    expect(await retain({ onWarning: expect.unreachable })).toBe(0)
    expect(await state()).toEqual({ events: before, horizon })
  })

  test('of 0 days deletes nothing', async () => {
    const before = await insertEventsOfAges(db, OLD)
    await moveRelay(db, RELAY, before.at(-1) ?? 0)
    expect(await retain({ retentionDays: 0 })).toBe(0)
    expect(await eventIds(db)).toEqual(before)
  })

  test('depends on the clock of the database, not on that of the process', async () => {
    const ids = await insertEventsOfAges(db, [8 * DAY, 6 * DAY])
    await moveRelay(db, RELAY, ids[1] ?? 0)
    onTestFinished(() => void vi.useRealTimers())
    for (const days of [-400, 400]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY * 3_600_000 })
      expect(await retain()).toBe(days < 0 ? 1 : 0)
      vi.useRealTimers()
    }
    expect(await eventIds(db)).toEqual(ids.slice(1))
  })

  test('deletes in transactions of bounded size, each with a lock of the horizon first', async () => {
    const ids = await insertEventsOfAges(db, [...OLD, 0])
    await moveRelay(db, RELAY, ids.at(-1) ?? 0)
    const statements: string[] = []
    const pool = observedPool((sql) => statements.push(sql.split(/ (?=`|\()/)[0] ?? ''))
    expect(await retain({ limit: 2 }, pool)).toBe(5)
    const portion = ['begin', 'select', 'select', 'select', 'delete from', 'update', 'commit']
    expect(statements).toEqual([portion, portion, portion].flat())
    expect(await eventIds(db)).toEqual(ids.slice(-1))

    statements.length = 0
    expect(await retain({ limit: 2 }, pool)).toBe(0)
    expect(statements).toEqual(['begin', 'select', 'select', 'select', 'commit'])
  })

  test('stops after the transaction in which it is aborted, and the next call continues', async () => {
    const ids = await insertEventsOfAges(db, [...OLD, 0])
    await moveRelay(db, RELAY, ids.at(-1) ?? 0)
    const stopping = new AbortController()
    const pool = observedPool((sql) => {
      if (sql.startsWith('delete')) stopping.abort()
    })
    expect(await retain({ limit: 2, signal: stopping.signal }, pool)).toBe(2)
    expect(await retain({ limit: 2, signal: stopping.signal }, pool)).toBe(0)
    expect(await state()).toEqual({ events: ids.slice(2), horizon: ids[1] })
    expect(await retain()).toBe(3)
  })

  test('by two processes at the same time deletes each event once', async () => {
    const ids = await insertEventsOfAges(db, [...Array<number>(40).fill(8 * DAY), 0])
    await moveRelay(db, RELAY, ids.at(-1) ?? 0)
    const deleted = await Promise.all([1, 2, 3].map((limit) => retain({ limit })))
    expect(deleted.reduce((sum, count) => sum + count)).toBe(40)
    expect(await state()).toEqual({ events: ids.slice(-1), horizon: ids.at(-2) })
  })

  test.each([
    ['old', 8 * DAY],
    ['young', 0],
  ])(
    'waits for an uncommitted event below, and if that is %s, the horizon does not pass it unseen',
    async (age, hours) => {
      const writer = await openEventWriter(url)
      await writer.begin()
      const uncommitted = await writer.insert()
      await writer.age(uncommitted, hours)
      const ids = await insertEventsOfAges(db, [...OLD, 0])
      await moveRelay(db, RELAY, ids.at(-1) ?? 0)
      const before = await readHorizon(db)
      const deletion = retain().catch((error: Error) => error.message)
      await eventually(() => lockWaits(db)).toBe(1)
      await writer.commit()
      expect(await deletion).toBe(
        'Old events were not deleted, because they changed meanwhile: 5 were read, and 6 were found. Repeat the deletion.',
      )
      expect(await state()).toEqual({ events: [uncommitted, ...ids], horizon: before })
      expect(await retain()).toBe(age === 'old' ? 6 : 0)
    },
  )

  test('without a horizon is a fault that states what to insert, and deletes nothing', async () => {
    const ids = await insertEventsOfAges(db, OLD)
    await moveRelay(db, RELAY, ids.at(-1) ?? 0)
    const before = await readHorizon(db)
    await run(db, "delete from outbox_cursors where name = 'horizon'")
    const failure = await retain().catch((error: Error) => error.message)
    await run(db, `insert into outbox_cursors (name, position) values ('horizon', ${before})`)
    expect(failure).toContain("The table outbox_cursors has no row 'horizon'")
    expect(await eventIds(db)).toEqual(ids)
  })
})

test('the deletion of events and the horizon are rolled back together', async () => {
  const [throughId = 0, ...rest] = await insertEventsOfAges(db, OLD)
  const before = await state()
  const failing = transact(db, async (tx) => {
    expect(await deleteEvents(tx, { after: 0, throughId })).toBe(1)
    throw new Error('No.')
  })
  await expect(failing).rejects.toThrow('No.')
  expect(await state()).toEqual({ ...before, events: [throughId, ...rest] })
})
