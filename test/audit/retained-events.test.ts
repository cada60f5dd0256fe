import { type Pool, type Tx, transact } from '@pointwise/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditSnapshot } from '../../server/src/audit/service.ts'
import type { EventType } from '../../server/src/outbox/event-schemas.ts'
import { deleteEvents } from '../../server/src/outbox/horizon.ts'
import { deleteExpiredEvents } from '../../server/src/outbox/retention.ts'
import { moveRelay, readHorizon, removeRelays } from '../outbox/retained-outbox.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { inSuite } from '../setup/suite.ts'
import { seedBusyShop } from './busy-shop.ts'

const MINUTE_MS = 60_000
const MONTH_MS = 30 * 24 * 60 * MINUTE_MS

let db: Pool
beforeAll(async () => {
  ;({ db } = await emptyDatabase())
})
afterAll(async () => {
  await removeRelays(db)
  await db.destroy()
})

/** The checks that fail after a statement, which is rolled back. */
async function brokenAfter(statement: string): Promise<string[]> {
  let broken: string[] = []
  const rollback = new Error('The statement is rolled back.')
  const work = async (tx: Tx) => {
    await run(tx, statement)
    const { checks } = await auditSnapshot(tx)
    broken = checks.filter((check) => check.broken > 0).map(({ name }) => name)
    throw rollback
  }
  await transact(db, work).catch((error) => {
    if (error !== rollback) throw error
  })
  return broken
}

/** A number in the payload of each type, which the rows or the events around it determine. */
const NUMBERS: Record<EventType, string> = {
  'points.charged': 'amount',
  'order.placed': 'totalPrice',
  'order.paid': 'amount',
  'order.refunded': 'amount',
  'order.cancelled': 'userId',
  'product.created': 'stock',
  'product.changed': 'stock',
  'product.removed': 'stock',
  'product.restocked': 'change',
}

const corruptionOf = ({ id, type }: { id: number; type: EventType }) => {
  const path = `'$.${NUMBERS[type]}'`
  return `update events set payload = json_set(payload, ${path}, json_extract(payload, ${path}) + 1) where id = ${id}`
}

/** Whether this horizon is examined: every one in `npm run test:all`. */
const isExamined = (above: unknown[]) => inSuite(above.length % 4 === 0, true)

/** The events that are corrupted at an examined horizon. */
const sampleOf = <Event>(events: Event[]): Event[] => inSuite(events.slice(0, 1), events)

/** Moves the horizon from event to event, by retention as far as it deletes, and calls `atHorizon` with the events above. */
async function deleteOneByOne<Event extends { id: number }>(
  events: Event[],
  atHorizon: (above: Event[], name: string) => Promise<void>,
): Promise<void> {
  for (const [index, { id }] of events.entries()) {
    const next = events[index + 1]
    if (next) {
      await moveRelay(db, 'kafka:pointwise.events', next.id)
      expect(await deleteExpiredEvents(db, { retentionDays: 7 })).toBe(1)
    } else {
      await transact(db, (tx) => deleteEvents(tx, { after: 0, throughId: id }))
    }
    expect(await readHorizon(db)).toBe(id)
    const above = events.slice(index + 1)
    if (isExamined(above)) await atHorizon(above, `after event ${index + 1} of ${events.length}`)
  }
}

/** With several calls in one millisecond, the first retained event can have the time of a deleted one. */
const STEPS = { minutes: 11 * MINUTE_MS, 'no time': 0, ...inSuite({}, { seconds: 7_000 }) }

test.each(Object.entries(STEPS))(
  'with %s between its calls, a shop is sound at every horizon, and a wrong event above it is found',
  { timeout: 1_200_000 },
  async (_, step) => {
    await seedBusyShop(db, { start: Date.now() - MONTH_MS, step })
    const events = await run<{ id: number; type: EventType }>(db, 'select id, type from events order by id')
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(Object.keys(NUMBERS)))

    await deleteOneByOne(events, async (above, horizon) => {
      expect({ horizon, broken: await brokenAfter('do 0') }).toEqual({ horizon, broken: [] })
      for (const event of sampleOf(above)) {
        const broken = await brokenAfter(corruptionOf(event))
        expect({ horizon, event, isFound: broken.length > 0 }).toEqual({ horizon, event, isFound: true })
      }
    })
  },
)

test('at every horizon, an event that is missing above it is found, except in the minute after the first one', async () => {
  await seedBusyShop(db, { start: Date.now() - MONTH_MS })
  const events = await run<{ id: number; type: EventType; at: Date }>(
    db,
    'select id, type, created_at as at from events order by id',
  )
  await deleteOneByOne(events, async (above, horizon) => {
    const since = (above[0]?.at.getTime() ?? 0) + MINUTE_MS
    const required = above.filter(({ type, at }) => type !== 'product.changed' && at.getTime() >= since)
    for (const event of sampleOf(required)) {
      const broken = await brokenAfter(`delete from events where id = ${event.id}`)
      expect({ horizon, event, isFound: broken.length > 0 }).toEqual({ horizon, event, isFound: true })
    }
  })
})
