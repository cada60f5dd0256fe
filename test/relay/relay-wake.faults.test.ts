import { onTestFinished, test } from 'vitest'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { insertEventsOfAges, moveRelay, removeRelays } from '../outbox/retained-outbox.ts'
import { emptyDatabase } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

const TOPIC = 'pointwise.events'
const WAKES = 20
/** Without a signal, an idle relay polls at this interval. */
const POLL_MS = 200

test('An idle relay polls at once when it is signalled a commit', async () => {
  const { db, url } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  await removeRelays(db)
  const [id = 0] = await insertEventsOfAges(db, [0])
  await moveRelay(db, `kafka:${TOPIC}`, id)
  await using proxy = await faultProxy(url)
  const log = () => undefined
  const { relay, close } = createRelay({
    databaseUrl: proxy.url,
    kafka: { brokers: ['127.0.0.1:1'], topic: TOPIC, retentionDays: 0 },
    logger: { info: log, warn: log, error: log },
  })
  try {
    relay.start()
    const polls = () => proxy.queries.flat().filter((sql) => /^select .* from `events` where `id` > /.test(sql)).length
    // The interval between two polls has reached its maximum.
    await eventually(polls).toBeGreaterThan(15)
    const began = performance.now()
    for (let n = 0; n < WAKES; n++) {
      const before = polls()
      relay.wake()
      await eventually(polls, { interval: 1 }).toBeGreaterThan(before)
    }
    expectWithin(performance.now() - began, (WAKES * POLL_MS) / 2)
  } finally {
    await close()
    await removeRelays(db)
  }
})
