import type { Pool } from '@pointwise/db'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { eventIds, insertEventsOfAges, moveRelay, removeRelays } from '../outbox/retained-outbox.ts'
import { emptyDatabase } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

const TOPIC = 'pointwise.events'
const OLD = Array<number>(3).fill(8 * 24)

let url: string
let db: Pool
let ids: number[]
beforeEach(async () => {
  ;({ url, db } = await emptyDatabase())
  await removeRelays(db)
  ids = await insertEventsOfAges(db, OLD)
  await moveRelay(db, `kafka:${TOPIC}`, ids.at(-1) ?? 0)
})
afterEach(async () => {
  await removeRelays(db)
  await db.destroy()
})

/** Starts a relay that has published everything and reaches no broker. Returns its log. */
function startRelay(databaseUrl: string, retentionDays: number) {
  const logged: { level: string; message: string; details: object }[] = []
  const log = (level: string) => (details: object, message: string) => void logged.push({ level, message, details })
  const { relay, close } = createRelay({
    databaseUrl,
    kafka: { brokers: ['127.0.0.1:1'], topic: TOPIC, retentionDays },
    logger: { info: log('info'), warn: log('warn'), error: log('error') },
  })
  relay.start()
  onTestFinished(close)
  return { logged, status: relay.status }
}

test('The holder of the lease deletes old events', async () => {
  const { logged } = startRelay(url, 7)
  await eventually(() => eventIds(db)).toEqual(ids.slice(-1))
  expect(logged).toEqual([expect.objectContaining({ level: 'info', message: 'this process publishes events' })])
})

test('The log names the relay that prevents a deletion', async () => {
  await moveRelay(db, 'kafka:forgotten', 0)
  const { logged } = startRelay(url, 7)
  await eventually(() => logged).toContainEqual({
    level: 'warn',
    message: 'old events are not deleted until a relay has published them',
    details: { cursor: 'kafka:forgotten', position: 0 },
  })
  expect(await eventIds(db)).toEqual(ids)
})

test('A deletion that fails is logged, and the relay continues to publish', async () => {
  await using proxy = await faultProxy(url)
  proxy.inject({ errno: 1142 }, /^delete/, 9)
  const { logged, status } = startRelay(proxy.url, 7)
  await eventually(() => logged).toContainEqual({
    level: 'error',
    message: 'deleting old events failed and will be retried',
    details: { topic: TOPIC, err: expect.objectContaining({ errno: 1142 }) },
  })
  expect(status.isHolder).toBe(true)
  expect(await eventIds(db)).toEqual(ids)
})
