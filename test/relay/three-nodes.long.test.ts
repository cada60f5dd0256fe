import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { item, openShop, PATIENT_LOCKS, type Shop } from '../setup/shop.ts'
import { type ClusterState, readClusterState } from './cluster-state.ts'
import { type KafkaCluster, kafkaIsMissing, runJava, startKafka } from './kafka-cluster.ts'
import { newTopic, openRelay } from './open-relay.ts'
import { expectCompleteTopic } from './rebuild-shop.ts'
import { TopicReader, type TopicRecord } from './topic-reader.ts'

const NODES = 3
const BUYERS = 5
const patient = { timeout: 300_000, interval: 50 }

let kafka: KafkaCluster

/** How far a topic is published, and the newest event. */
async function readProgress({ db }: Shop, topic: string): Promise<{ position: number; newest: number }> {
  const [row] = await run<{ position: number | null; newest: number }>(
    db,
    `select max(id) as newest, (select position from outbox_cursors where name = 'kafka:${topic}') as position from events`,
  )
  return { position: row?.position ?? 0, newest: row?.newest ?? 0 }
}

/** Waits until every event that exists now is published. */
async function everythingPublished(shop: Shop, topic: string): Promise<void> {
  const { newest } = await readProgress(shop, topic)
  await eventually(async () => (await readProgress(shop, topic)).position, patient).toBeGreaterThanOrEqual(newest)
}

async function readTopic(topic: string): Promise<TopicRecord[]> {
  await using reader = await TopicReader.open(kafka.brokers, topic)
  return await reader.readToEnd()
}

/** Buyers who pay without a pause until they are stopped. */
async function openShopWithBuyers() {
  const shop = await openShop({ database: PATIENT_LOCKS })
  const statuses = new Set<number>()
  const countStatus: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    statuses.add(response.status)
    return response
  }
  const products = [
    await shop.givenProduct({ price: 1, stock: 1_000_000 }),
    await shop.givenProduct({ price: 2, stock: 1_000_000 }),
  ]
  const users = await shop.givenUsers(BUYERS, { points: 500_000 })
  let isOpen = true
  let checkouts = 0
  const buying = users.map(async ({ token }) => {
    const client = shop.client({ token, fetch: countStatus })
    for (; isOpen; checkouts++) {
      const turn = checkouts
      await client.orders.checkout.mutate({ items: [item(products[turn % 2] ?? expect.fail())] })
      if (turn % 10 === 0) await client.points.charge.mutate({ amount: 1 })
    }
  })
  const bought = Promise.all(buying)
  bought.catch(() => undefined)
  const close = async () => {
    isOpen = false
    await bought
  }
  onTestFinished(() => {
    isOpen = false
  })
  return { shop, statuses, count: () => checkouts, close }
}

describe.skipIf(kafkaIsMissing)(`Three brokers${kafkaIsMissing ? ` (${kafkaIsMissing})` : ''}`, () => {
  beforeAll(async () => {
    kafka = await startKafka({ nodes: NODES })
  }, 600_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  const readState = (topic: string): Promise<ClusterState> => readClusterState(kafka.brokers, topic)

  test('of which each is killed in turn, the controller and the leaders of partitions included, receive every event in order', {
    timeout: 900_000,
  }, async () => {
    const topic = newTopic()
    const { shop: opened, statuses, count, close } = await openShopWithBuyers()
    await using shop = opened
    for (let n = 0; n < 2; n++) openRelay(kafka, shop, topic).relay.start()
    await everythingPublished(shop, topic)
    const { controller } = await readState(topic)
    const nodes = Array.from({ length: NODES }, (_, index) => index + 1)
    for (const node of [controller, ...nodes.filter((each) => each !== controller)]) {
      await eventually(async () => (await readState(topic)).inSync, patient).toEqual(Array(6).fill(NODES))
      expect((await readState(topic)).leaders).toContain(node)
      await kafka.kill(node)
      const before = count()
      await everythingPublished(shop, topic)
      await eventually(count, patient).toBeGreaterThan(before)
      await kafka.restart(node)
    }
    await close()
    await everythingPublished(shop, topic)
    expect([...statuses]).toEqual([200])
    await expectCompleteTopic(shop.db, await readTopic(topic))
  })

  test('deliver the same records to @platformatic/kafka, kafkajs and the Java client, in the partitions of a Java producer', {
    timeout: 600_000,
  }, async () => {
    const topic = newTopic()
    await using shop = await openShop()
    const product = await shop.givenProduct({ name: 'Grüner Tee, 茶 🍵', price: 10, stock: 100 })
    const users = await Promise.all(Array.from({ length: 5 }, () => shop.givenUser({ points: 1_000 })))
    for (const { client } of users) await client.orders.checkout.mutate({ items: [item(product, 2)] })
    openRelay(kafka, shop, topic).relay.start()
    await everythingPublished(shop, topic)
    const records = await readTopic(topic)
    await expectCompleteTopic(shop.db, records)
    expect(await readWithKafkaJs(topic, records.length)).toEqual(inOrder(records))
    expect(await readWithJava(topic)).toEqual(records.map(toLine).sort())
  })
})

const inOrder = (records: readonly TopicRecord[]) =>
  records.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))

async function readWithKafkaJs(topic: string, count: number): Promise<TopicRecord[]> {
  const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId: 'kafkajs' })
  const records: TopicRecord[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value, headers } }) => {
        const text = Object.fromEntries(Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)]))
        const record = { partition, offset: BigInt(offset), key: String(key), value: String(value), headers: text }
        records.push({ ...record, id: Number(text.ce_id) })
      },
    })
    await eventually(() => records.length, patient).toBe(count)
  } finally {
    await consumer.disconnect()
  }
  return inOrder(records)
}

async function readWithJava(topic: string): Promise<string[]> {
  const output = await runJava(join(import.meta.dirname, 'TopicPrinter.java'), [kafka.brokers.join(','), topic])
  return output.trim().split('\n').sort()
}

/** The line of TopicPrinter.java for a record in the partition that a Java producer chooses. */
function toLine({ partition, offset, key, value, headers }: TopicRecord): string {
  const names = Object.keys(headers).sort()
  const list = names.map((name) => `${name}=${headers[name]}`).join(', ')
  return [partition, partition, offset, key, value, `{${list}}`].join('\t')
}
