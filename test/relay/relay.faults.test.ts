import type { Pool } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { type KafkaCluster, kafkaIsMissing, startKafka } from './kafka-cluster.ts'
import { partitionsOf, TopicReader } from './topic-reader.ts'

let kafka: KafkaCluster
let topics = 0

/** The name of a topic that no other test uses. */
const newTopic = () => `events-${process.pid}-${topics++}`

interface LogLine {
  level: string
  message: string
  details: { id?: number; err?: Error }
}

function openRelay(shop: Shop, topic: string) {
  const log: LogLine[] = []
  const write = (level: string) => (details: object, message: string) => void log.push({ level, message, details })
  const logger = { info: write('info'), warn: write('warn'), error: write('error') }
  const { relay, close } = createRelay({
    databaseUrl: shop.databaseUrl,
    kafka: { brokers: kafka.brokers, topic },
    logger,
  })
  onTestFinished(close)
  return Object.assign(relay, { log, close })
}

async function openReader(topic: string): Promise<TopicReader> {
  const reader = await TopicReader.open(kafka.brokers, topic)
  onTestFinished(() => reader[Symbol.asyncDispose]())
  return reader
}

const outboxOf = (db: Pool) =>
  run<{ id: number; type: string; key: string; payload: string; at: Date }>(
    db,
    'select id, type, `key`, cast(payload as char) as payload, created_at as at from events order by id',
  )

const cursorOf = async (db: Pool, topic: string) =>
  (
    await run<{ position: number; epoch: number; owner: string | null }>(
      db,
      `select position, epoch, owner from outbox_cursors where name = 'kafka:${topic}'`,
    )
  )[0]

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
  afterAll(() => kafka[Symbol.asyncDispose]())

  test('publishes each event as a CloudEvent with the key and the payload of its row, in the order of the ids', async () => {
    await using shop = await openShop()
    const topic = newTopic()
    for (let n = 0; n < 5; n++) await buyAndRefund(shop)
    const rows = await outboxOf(shop.db)
    expect(await openRelay(shop, topic).drain()).toBe(rows.length)
    const reader = await openReader(topic)
    await eventually(() => reader.records.length).toBe(rows.length)
    const byId = reader.records.toSorted((a, b) => a.id - b.id)
    expect(byId.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
      rows.map(({ id, type, key, payload, at }) => ({
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
        },
      })),
    )
    for (const records of partitionsOf(reader.records)) {
      const ids = records.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    }
    expect(await cursorOf(shop.db, topic)).toMatchObject({ position: rows.at(-1)?.id, owner: null })
  })
})
