import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cursorOf } from '../../server/src/outbox/cursor-names.ts'
import { JWT_SECRET } from '../setup/configuration.ts'
import { emptyTables, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { send } from '../setup/trpc-wire.ts'
import { openEventWriter } from '../subscriptions/event-writer.ts'
import { type KafkaCluster, kafkaIsMissing, startKafka } from './kafka-cluster.ts'
import { newTopic, openReader, openRelay, positionOf, runCommand } from './open-relay.ts'
import { insertEvents, outboxOf, readCursor } from './outbox-rows.ts'
import { partitionsOf } from './topic-reader.ts'

let kafka: KafkaCluster

async function buyAndRefund(shop: Shop): Promise<void> {
  const product = await shop.givenProduct({ price: 10, stock: 100 })
  const user = await shop.givenUser({ points: 1_000 })
  const { order } = await user.client.orders.checkout.mutate({ items: [item(product, 2)] })
  await (await shop.admin()).payments.refund.mutate({ orderId: order.id })
}

describe.skipIf(kafkaIsMissing)(`The relay${kafkaIsMissing ? ` (${kafkaIsMissing})` : ''}`, () => {
  beforeAll(async () => {
    kafka = await startKafka()
  })
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  test('publishes each event as a CloudEvent with the key and the payload of its row, in the order of the ids', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    for (let n = 0; n < 5; n++) await buyAndRefund(shop)
    await run(
      shop.db,
      `update events set traceparent = '00-${'a'.repeat(32)}-${'b'.repeat(16)}-01' where type = 'order.paid'`,
    )
    const rows = await outboxOf(shop.db)
    expect(await openRelay(kafka, shop, topic).relay.drain()).toBe(rows.length)
    const reader = await openReader(kafka, topic)
    await eventually(() => reader.records.length).toBe(rows.length)
    const byId = reader.records.toSorted((a, b) => a.id - b.id)
    expect(byId.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
      rows.map(({ id, type, key, payload, at, traceparent }) => ({
        key,
        value: payload,
        headers: {
          'content-type': 'application/json',
          ce_specversion: '1.0',
          ce_id: String(id),
          ce_type: type,
          ce_source: '/pointwise',
          ce_time: at.toISOString(),
          ce_subject: key,
          ...(traceparent && { traceparent }),
        },
      })),
    )
    for (const records of partitionsOf(reader.records)) {
      const ids = records.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    }
    expect(await positionOf(shop.db, topic)).toBe(rows.at(-1)?.id)
  })

  test('waits for an event whose transaction is open, and publishes it before later ones', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const { relay } = openRelay(kafka, shop, topic)
    const writer = await openEventWriter(shop.databaseUrl)
    await insertEvents(shop.db, 3)
    await writer.begin()
    const open = await writer.insert()
    const later = await insertEvents(shop.db, 3)
    relay.start()
    // Longer than the timeout of an id without a row.
    await eventually(() => positionOf(shop.db, topic)).toBe(open - 1)
    await eventually(() => relay.status.oldestAgeSeconds).toBeGreaterThan(1.5)
    expect(await positionOf(shop.db, topic)).toBe(open - 1)
    await writer.commit()
    await eventually(() => positionOf(shop.db, topic)).toBe(later.at(-1))
    const reader = await openReader(kafka, topic)
    await eventually(() => reader.records.length).toBe(7)
    expect(reader.records.map(({ id }) => id)).toEqual((await outboxOf(shop.db)).map(({ id }) => id))
    await emptyTables(shop.db)
  })

  test.each([
    { state: 'gone', begin: () => kafka.kill(1), end: () => kafka.restart(1) },
    { state: 'hung', begin: () => kafka.suspend(1), end: () => kafka.resume(1) },
  ])(
    'publishes what was committed while the broker was $state, and payments succeed meanwhile',
    {
      timeout: 240_000,
    },
    async ({ begin, end }) => {
      await using shop = await openShop()
      const topic = newTopic()
      const { relay, log } = openRelay(kafka, shop, topic)
      relay.start()
      await buyAndRefund(shop)
      const before = await outboxOf(shop.db)
      await eventually(() => positionOf(shop.db, topic)).toBe(before.at(-1)?.id)
      await begin()
      await buyAndRefund(shop)
      await eventually(() => relay.status.failures).toBeGreaterThan(0)
      await eventually(() => relay.status.lag).toBeGreaterThan(0)
      expect(relay.status.oldestAgeSeconds).toBeGreaterThan(0)
      await buyAndRefund(shop)
      await end()
      const rows = await outboxOf(shop.db)
      await eventually(() => positionOf(shop.db, topic)).toBe(rows.at(-1)?.id)
      await eventually(() => relay.status.lag).toBe(0)
      const reader = await openReader(kafka, topic)
      await eventually(() => new Set(reader.records.map(({ id }) => id)).size).toBe(rows.length)
      const messages = log.map(({ message }) => message)
      expect(messages.filter((message) => message === 'events are published again')).toHaveLength(1)
    },
  )

  test('stops at an event whose row is damaged, logs its id, and continues when the row is corrected', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const ids = await insertEvents(shop.db, 5)
    const damaged = ids[2] ?? 0
    await run(shop.db, `update events set payload = '{"userId":1}' where id = ${damaged}`)
    const { relay, log } = openRelay(kafka, shop, topic)
    relay.start()
    await eventually(() => relay.status.stoppedAtId).toBe(damaged)
    expect(await positionOf(shop.db, topic)).toBe(damaged - 1)
    expect(log.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', message: 'an event cannot be published, and later events wait for it', id: damaged },
    ])
    const [row] = await run<{ payload: string }>(
      shop.db,
      `select cast(payload as char) as payload from events where id = ${ids[0]}`,
    )
    await run(shop.db, `update events set payload = '${row?.payload}' where id = ${damaged}`)
    await eventually(() => positionOf(shop.db, topic)).toBe(ids.at(-1))
    await eventually(() => relay.status.stoppedAtId).toBe(undefined)
    const reader = await openReader(kafka, topic)
    await eventually(() => reader.records.map(({ id }) => id)).toEqual(ids)
    await emptyTables(shop.db)
  })

  test('divides a batch that the broker rejects, stops at an event that is too large for the topic, and continues when it fits', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const admin = new Admin({ clientId: 'relay-test', bootstrapBrokers: kafka.brokers })
    onTestFinished(() => admin.close().then(() => undefined))
    await admin.createTopics({
      topics: [topic],
      partitions: 1,
      replicas: 1,
      configs: [{ name: 'max.message.bytes', value: '1500' }],
    })
    const product = await shop.givenProduct({ price: 1, stock: 100 })
    const others = await Promise.all(Array.from({ length: 49 }, () => shop.givenProduct({ price: 1, stock: 100 })))
    const user = await shop.givenUser({ points: 1_000 })
    for (let n = 0; n < 5; n++) await user.client.orders.checkout.mutate({ items: [item(product)] })
    await user.client.orders.checkout.mutate({ items: [product, ...others].map((each) => item(each)) })
    await user.client.orders.checkout.mutate({ items: [item(product)] })
    const rows = await outboxOf(shop.db)
    const large = rows.find(({ payload }) => payload.length > 1_500)
    const { relay, log } = openRelay(kafka, shop, topic)
    relay.start()
    await eventually(() => relay.status.stoppedAtId).toBe(large?.id)
    expect(await positionOf(shop.db, topic)).toBe((large?.id ?? 0) - 1)
    expect(log.at(-1)).toMatchObject({ level: 'error', id: large?.id })
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: topic,
          configs: [
            {
              name: 'max.message.bytes',
              value: '100000',
              configOperation: IncrementalAlterConfigOperationTypes.SET,
            },
          ],
        },
      ],
      validateOnly: false,
    })
    await eventually(() => positionOf(shop.db, topic)).toBe(rows.at(-1)?.id)
    const reader = await openReader(kafka, topic)
    await eventually(() => new Set(reader.records.map(({ id }) => id)).size).toBe(rows.length)
  })

  test('stops when events above the cursor were deleted, and does not skip them', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const { relay, log } = openRelay(kafka, shop, topic)
    const first = await insertEvents(shop.db, 3)
    await relay.drain()
    const lost = await insertEvents(shop.db, 1)
    const later = await insertEvents(shop.db, 1)
    await run(shop.db, `delete from events where id <= ${lost[0]}`)
    relay.start()
    await eventually(() => log.filter(({ level }) => level === 'error').length).toBe(1)
    expect(await positionOf(shop.db, topic)).toBe(first.at(-1))
    await run(shop.db, `update outbox_cursors set position = ${lost[0]} where name = 'kafka:${topic}'`)
    await eventually(() => positionOf(shop.db, topic)).toBe(later[0])
    await emptyTables(shop.db)
  })

  test('publishes a range again in its order, while another process holds the lease, which continues afterwards', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const holder = openRelay(kafka, shop, topic)
    holder.relay.start()
    const ids = await insertEvents(shop.db, 10)
    await eventually(() => positionOf(shop.db, topic)).toBe(ids.at(-1))
    const [from = 0, to = 0] = [ids[2], ids[7]]
    expect(await openRelay(kafka, shop, topic).relay.republish({ from, to })).toBe(6)
    const later = await insertEvents(shop.db, 2)
    await eventually(() => positionOf(shop.db, topic)).toBe(later.at(-1))
    const reader = await openReader(kafka, topic)
    await eventually(() => reader.records.map(({ id }) => id)).toEqual([...ids, ...ids.slice(2, 8), ...later])
    await emptyTables(shop.db)
  })

  test('as a command publishes what is committed with --once, and a range again with --from', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const ids = await insertEvents(shop.db, 5)
    const once = await runCommand(kafka, shop, topic, '--once')
    expect(once).toEqual({ code: 0, stderr: `Published 5 events to ${topic}.\n` })
    expect((await runCommand(kafka, shop, topic, '--once')).stderr).toBe(`Published 0 events to ${topic}.\n`)
    const again = await runCommand(kafka, shop, topic, '--from', String(ids[3]))
    expect(again).toEqual({ code: 0, stderr: `Published 2 events to ${topic}.\n` })
    await run(shop.db, `update outbox_cursors set position = ${ids[0]} where name = 'horizon'`)
    const deleted = await runCommand(kafka, shop, topic, '--from', String(ids[0]))
    expect(deleted).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^relay: The events up to \d+ have been deleted/),
    })
    const reader = await openReader(kafka, topic)
    await eventually(() => reader.records.map(({ id }) => id)).toEqual([...ids, ...ids.slice(3)])
    await emptyTables(shop.db)
  })

  test('runs in a server with KAFKA_BROKERS, whose metrics show it, and releases the lease when the server closes', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    await buyAndRefund(shop)
    const rows = await outboxOf(shop.db)
    await using server = new ServerProcess({
      DATABASE_URL: shop.databaseUrl,
      JWT_SECRET,
      PORT: '0',
      METRICS_PORT: '0',
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC: topic,
    })
    await server.url()
    await eventually(() => positionOf(shop.db, topic)).toBe(rows.at(-1)?.id)
    const url = /"url":"(http:\/\/127\.0\.0\.1:\d+)\/metrics"/.exec(server.stdout)?.[1] ?? ''
    const metrics = async () => (await send({ url }, '/metrics')).text.split('\n')
    await eventually(metrics).toEqual(
      expect.arrayContaining([
        `pointwise_relay_published_total ${rows.length}`,
        'pointwise_relay_failures_total 0',
        'pointwise_relay_active 1',
        'pointwise_relay_lag_events 0',
        'pointwise_relay_oldest_unpublished_seconds 0',
        'pointwise_relay_stopped_at_event 0',
        expect.stringMatching(/^pointwise_outbox_horizon \d+$/),
      ]),
    )
    server.child.kill('SIGTERM')
    expect(await server.exitCode()).toBe(0)
    expect(await readCursor(shop.db, cursorOf(topic))).toMatchObject({ owner: null })
  })
})
