import { connect, type Pool } from '@pointwise/db'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  type EventStream,
  type SubscribeOptions,
  SubscriptionHub,
  type SubscriptionHubOptions,
} from '../../server/src/subscriptions/hub.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { splitStatements } from '../setup/statements.ts'
import { openEventWriter } from './event-writer.ts'

const SHORT_GAP_TIMEOUTS = { emptyMs: 50, uncommittedMs: 60_000 }

let url: string
let db: Pool
/** The number of SELECT statements on the outbox. */
let outboxReads: number
beforeEach(async () => {
  outboxReads = 0
  const options = {
    log: (event: Parameters<typeof splitStatements>[0]) => {
      outboxReads += splitStatements(event).filter(({ sql }) => sql.includes('from `events`')).length
    },
  }
  ;({ url, db } = await emptyDatabase(options))
})
afterEach(() => db.destroy())

const openWriter = () => openEventWriter(url)

/** Opens a stream whose items are event ids. */
function openStream(
  hub: SubscriptionHub,
  options: Partial<SubscribeOptions<number>> = {},
): Promise<EventStream<number>> {
  return hub.subscribe({ caller: 'user:1', topics: ['user:1'], toItem: ({ id }) => id, ...options })
}

interface Subscriber {
  ids: number[]
  error: unknown
}

/** Subscribes to user 1 and collects the ids of the events. */
async function subscribe(hub: SubscriptionHub, after?: number): Promise<Subscriber> {
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  const subscriber: Subscriber = { ids: [], error: undefined }
  const stream = await openStream(hub, { signal: controller.signal, after })
  const read = async () => {
    for await (const id of stream) subscriber.ids.push(id)
  }
  read().catch((error) => {
    subscriber.error = error
  })
  return subscriber
}

const createHub = (options: SubscriptionHubOptions = {}) =>
  new SubscriptionHub(db, { gapTimeouts: SHORT_GAP_TIMEOUTS, ...options })

const outboxIsRead = (times: number) => {
  const until = outboxReads + times
  return eventually(() => outboxReads).toBeGreaterThanOrEqual(until)
}

test('an event that commits after one with a higher id is delivered before it, however late it commits', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  const subscriber = await subscribe(createHub())
  await first.begin()
  const early = await first.insert()
  const late = await second.insert()
  expect(late).toBeGreaterThan(early)
  // Thirty reads take longer than the timeout of an id without a row.
  await outboxIsRead(30)
  expect(subscriber.ids).toEqual([])
  const next = await second.insert()
  await first.commit()
  await eventually(() => subscriber.ids).toEqual([early, late, next])
})

test('a subscription that starts while a transaction is open delivers its event when it commits', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  await first.begin()
  const early = await first.insert()
  await second.insert()
  const subscriber = await subscribe(createHub())
  await first.commit()
  await eventually(() => subscriber.ids).toContain(early)
})

test('a subscription that resumes after an id below an open transaction delivers every event exactly once', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  const received = await second.insert()
  await first.begin()
  const early = await first.insert()
  const late = await second.insert()
  const [one, other] = [await subscribe(createHub(), received), await subscribe(createHub(), received)]
  await outboxIsRead(10)
  await first.commit()
  await eventually(() => one.ids).toEqual([early, late])
  await eventually(() => other.ids).toEqual([early, late])
})

test('an id whose transaction rolled back delays later events only until the default gap timeout', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  const subscriber = await subscribe(new SubscriptionHub(db))
  await second.insert()
  await first.begin()
  await first.insert()
  await first.rollback()
  await second.insert()
  await eventually(() => subscriber.ids.length).toBe(2)
})

test('a second subscription does not wait again for an id that has timed out', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  await second.insert()
  await first.begin()
  await first.insert()
  await first.rollback()
  const received = await second.insert()
  const gapTimeouts = { ...SHORT_GAP_TIMEOUTS }
  const hub = createHub({ gapTimeouts })
  await subscribe(hub)
  // Waiting for the id again would never end.
  gapTimeouts.emptyMs = Number.POSITIVE_INFINITY
  const subscriber = await subscribe(hub, received)
  const next = await second.insert()
  await eventually(() => subscriber.ids).toEqual([next])
})

test('the event of a transaction that never ends is skipped, with a warning that contains its id', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  const warnings: object[] = []
  const subscriber = await subscribe(
    createHub({
      gapTimeouts: { emptyMs: 20, uncommittedMs: 100 },
      onWarning: (_, details) => warnings.push(details),
    }),
  )
  await first.begin()
  const stuck = await first.insert()
  const late = await second.insert()
  await eventually(() => subscriber.ids).toEqual([late])
  expect(warnings).toEqual([{ ids: [stuck] }])
})

test('a thousand events of one transaction are delivered in order', async () => {
  const writer = await openWriter()
  const subscriber = await subscribe(createHub())
  await writer.begin()
  const ids: number[] = []
  for (let n = 0; n < 1_100; n++) ids.push(await writer.insert())
  await writer.commit()
  await eventually(() => subscriber.ids.length).toBe(1_100)
  expect(subscriber.ids).toEqual(ids)
})

test('more events than the buffer holds behind an open transaction are delivered when it commits', async () => {
  const [first, second] = [await openWriter(), await openWriter()]
  const subscriber = await subscribe(createHub())
  await first.begin()
  const early = await first.insert()
  const digits = '(select 0 union select 1 union select 2 union select 3 union select 4)'
  const before = outboxReads
  await run(
    db,
    `insert into events (type, \`key\`, payload) select 'points.charged', 'user:2', '{}'
    from ${['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${digits} ${name}`).join()}`,
  )
  const late = await second.insert()
  // The buffer is full after ten pages of a thousand rows.
  await eventually(() => outboxReads - before).toBeGreaterThan(14)
  await first.commit()
  await eventually(() => subscriber.ids).toEqual([early, late])
})

test('a client that disconnects before its stream is open leaves no stream behind', async () => {
  const hub = createHub()
  await expect(openStream(hub, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    refusal: { code: 'service_busy' },
  })
  expect(hub.size).toBe(0)
})

test('a replay delivers the same events as a live stream: those that concern its topics', async () => {
  const writer = await openWriter()
  const before = await writer.insert()
  const sale = (productId: number) =>
    `('order.paid', 'user:1', '{"userId":1,"items":[{"productId":${productId},"quantity":1,"stock":1}]}')`
  const topics = ['product:2']
  const live = await openStream(createHub(), { topics })
  onTestFinished(() => void live.return())
  await run(
    db,
    `insert into events (type, \`key\`, payload) values ${sale(1)}, ${sale(2)}, ${sale(3)},
    ('product.restocked', 'product:3', '{"productId":3}'), ('product.restocked', 'product:2', '{"productId":2}')`,
  )
  const replay = await openStream(createHub(), { topics, after: before })
  onTestFinished(() => void replay.return())
  for (const stream of [live, replay]) {
    expect(await stream.next()).toEqual({ done: false, value: before + 2 })
    expect(await stream.next()).toEqual({ done: false, value: before + 5 })
  }
})

test('the replay stops reading the outbox when the client disconnects', async () => {
  const writer = await openWriter()
  const first = await writer.insert()
  await run(
    db,
    `insert into events (id, type, \`key\`, payload) values (${first + 500_000}, 'points.charged', 'user:2', '{}')`,
  )
  const controller = new AbortController()
  const stream = await openStream(createHub(), { after: first, signal: controller.signal })
  const before = outboxReads
  const next = stream.next()
  controller.abort()
  expect(await next).toEqual({ done: true, value: undefined })
  expect(outboxReads - before).toBeLessThan(500_000 / 10_000 / 2)
})

test('the position of a stream advances with the events of other topics', async () => {
  const writer = await openWriter()
  const before = await writer.insert()
  const stream = await openStream(createHub(), { topics: ['user:2'] })
  onTestFinished(() => void stream.return())
  expect([stream.since, stream.position()]).toEqual([before, undefined])
  const next = stream.next()
  await eventually(() => stream.position()).toBe(before)
  const other = await writer.insert()
  await eventually(() => stream.position()).toBe(other)
  await run(db, `insert into events (type, \`key\`, payload) values ('points.charged', 'user:2', '{"userId":2}')`)
  expect(await next).toEqual({ done: false, value: other + 1 })
  expect(stream.position()).toBeUndefined()
})

test('the position follows the outbox when its rows and its ids are reset between two subscriptions', async () => {
  const hub = createHub()
  const controller = new AbortController()
  const stream = await openStream(hub, { signal: controller.signal })
  const next = stream.next()
  const writer = await openWriter()
  await run(db, `insert into events (id, type, \`key\`, payload) values (9000000, 'points.charged', 'user:2', '{}')`)
  await eventually(() => stream.position()).toBe(9_000_000)
  controller.abort()
  await next
  await run(db, 'truncate table events')
  await run(db, `update outbox_cursors set position = 0 where name = 'horizon'`)
  const first = await writer.insert()
  const second = await openStream(hub)
  onTestFinished(() => void second.return())
  void second.next()
  await eventually(() => second.position()).toBe(first)
})

test('the outbox is not read while there are no subscriptions', async () => {
  const hub = createHub()
  const controller = new AbortController()
  await openStream(hub, { signal: controller.signal })
  await outboxIsRead(3)
  controller.abort()
  expect(hub.size).toBe(0)
  const writer = await openWriter()
  await writer.insert()
  const before = outboxReads
  for (const start = performance.now(); performance.now() - start < 300; ) await writer.insert()
  // One read may have been in progress.
  expect(outboxReads - before).toBeLessThanOrEqual(1)
})

test('after a database outage, every event that was committed during the outage is delivered', async () => {
  await using proxy = await faultProxy(url)
  const proxied = connect(proxy.url)
  onTestFinished(() => proxied.destroy())
  const warnings: string[] = []
  const subscriber = await subscribe(
    new SubscriptionHub(proxied, {
      gapTimeouts: SHORT_GAP_TIMEOUTS,
      onWarning: (message) => warnings.push(message),
    }),
  )
  const writer = await openWriter()
  const ids = [await writer.insert()]
  await eventually(() => subscriber.ids).toEqual(ids)
  proxy.disable()
  await eventually(() => warnings).toContain('reading the outbox failed and will be retried')
  ids.push(await writer.insert(), await writer.insert())
  proxy.enable()
  await eventually(() => subscriber.ids).toEqual(ids)
})
