import type { Pool } from '@pointwise/db'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { insertEventsOfAges, moveRelay, removeRelays } from '../outbox/retained-outbox.ts'
import { emptyDatabase } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'

const TOPIC = 'pointwise.events'
const WAKES = 20
/** Without a signal, an idle relay polls at this interval. */
const POLL_MS = 200
/** With signals, it polls at most at this interval, because each page costs a COMMIT that payments share. */
const POLL_MS_MIN = 50
/** Timers can be early by a millisecond. */
const EARLY_MS = 2

let db: Pool
let proxy: FaultProxy
let opened: ReturnType<typeof createRelay>

/** Starts a relay that has published everything. */
beforeEach(async () => {
  const { db: pool, url } = await emptyDatabase()
  db = pool
  await removeRelays(db)
  const [id = 0] = await insertEventsOfAges(db, [0])
  await moveRelay(db, `kafka:${TOPIC}`, id)
  proxy = await faultProxy(url)
  const log = () => undefined
  opened = createRelay({
    databaseUrl: proxy.url,
    kafka: { brokers: ['127.0.0.1:1'], topic: TOPIC, retentionDays: 0 },
    logger: { info: log, warn: log, error: log },
  })
  opened.relay.start()
  // The interval between two polls has reached its maximum.
  await eventually(polls).toBeGreaterThan(6)
})
afterEach(async () => {
  await opened.close()
  await proxy[Symbol.asyncDispose]()
  await removeRelays(db)
  await db.destroy()
})

const polls = () => proxy.queries.flat().filter((sql) => /^select .* from `events` where `id` > /.test(sql)).length

test('An idle relay polls at once when it is signalled a commit', async () => {
  const began = performance.now()
  for (let n = 0; n < WAKES; n++) {
    const before = polls()
    opened.relay.wake()
    await eventually(polls, { interval: 1 }).toBeGreaterThan(before)
  }
  expectWithin(performance.now() - began, (WAKES * POLL_MS) / 2)
})

test('Any number of signals make a relay poll at most every 50 ms', async () => {
  const before = polls()
  const began = performance.now()
  const storm = setInterval(() => opened.relay.wake(), 1)
  await eventually(polls).toBeGreaterThanOrEqual(before + WAKES)
  clearInterval(storm)
  // One poll may have been due at the beginning, and one under way.
  expect(polls() - before - 2).toBeLessThanOrEqual((performance.now() - began) / (POLL_MS_MIN - EARLY_MS))
})
