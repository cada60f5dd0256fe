import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { connect, createDatabase, type Pool } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { createRelay } from '../../server/src/relay/create-relay.ts'
import { kafkaIsMissing, startKafka } from '../relay/kafka-cluster.ts'
import { databaseUrl, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { moduleOf, snippetsOf, snippetWith } from './snippet.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TOPIC = 'pointwise.events'
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
const USERS = 8

/** Writes the consumer of the client's page to a module whose function runs it. */
function writeConsumer(): string {
  mkdirSync(join(ROOT, '.pointwise'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.pointwise/consumer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'consumer.ts')
  const snippet = snippetWith(snippetsOf('client-sdk/README.md'), 'new Consumer({')
  writeFileSync(file, moduleOf(snippet, { parameters: '{ brokers, db, addReward }: any' }))
  return file
}

async function openConsumerDatabase(): Promise<{ url: string; db: Pool }> {
  const url = databaseUrl('consumer')
  await createDatabase(url)
  const db = connect(url)
  onTestFinished(() => db.destroy())
  await run(db, 'drop table if exists positions, rewards')
  await run(db, 'create table positions (`partition` int primary key, lastId bigint not null)')
  await run(db, 'create table rewards (userId int not null, amount int not null)')
  await run(db, 'insert into positions values (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)')
  return { url, db }
}

function startConsumer(...args: string[]): ChildProcess {
  const file = join(import.meta.dirname, 'consumer-process.ts')
  const consumer = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  onTestFinished(() => void consumer.kill('SIGKILL'))
  return consumer
}

/** Publishes the events of the outbox, and then all of them again. */
async function publishTwice(shop: Shop, brokers: string[]): Promise<void> {
  const { relay, close } = createRelay({
    databaseUrl: shop.databaseUrl,
    kafka: { brokers, topic: TOPIC, retentionDays: 0 },
    logger: SILENT,
  })
  onTestFinished(close)
  await relay.drain()
  const [first] = await run<{ id: number }>(shop.db, 'select min(id) as id from events')
  await relay.republish({ from: first?.id ?? 1 })
}

/** An event of a newer server. */
async function publishUnknownType(brokers: string[]): Promise<void> {
  const producer = new Producer({
    clientId: 'newer-server',
    bootstrapBrokers: brokers,
    serializers: stringSerializers,
  })
  const headers = { ce_specversion: '1.0', ce_source: '/pointwise', ce_id: '1', ce_type: 'points.granted' }
  const messages = [0, 1, 2, 3, 4, 5].map((partition) => ({ topic: TOPIC, partition, value: '{}', headers }))
  await producer.send({ messages })
  await producer.close()
}

// The broker removes a consumer that has crashed from its group after a minute.
test.skipIf(kafkaIsMissing)(
  `The consumer of the client's page has each effect exactly once, although it crashes and events are repeated${kafkaIsMissing ? ` (${kafkaIsMissing})` : ''}`,
  async () => {
    await using kafka = await startKafka()
    await using shop = await openShop()
    const product = await shop.givenProduct({ price: 10, stock: 1_000 })
    const users = await shop.givenUsers(USERS, { points: 1_000 })
    const buy = () =>
      Promise.all(users.map(({ client }) => client.orders.checkout.mutate({ items: [item(product, 2)] })))
    await buy()
    await publishTwice(shop, kafka.brokers)
    await publishUnknownType(kafka.brokers)
    await buy()
    await publishTwice(shop, kafka.brokers)

    const { url, db } = await openConsumerDatabase()
    const consumer = writeConsumer()
    const crashed = startConsumer(consumer, kafka.brokers[0] ?? '', url, '5')
    expect((await once(crashed, 'exit'))[0]).toBe(1)
    const rewards = async () => run<{ userId: number; amount: number }>(db, 'select * from rewards order by userId')
    expect(await rewards()).toHaveLength(4)

    startConsumer(consumer, kafka.brokers[0] ?? '', url)
    const [newest] = await run<{ id: number }>(shop.db, "select max(id) as id from events where `key` like 'user:%'")
    const lastId = async () => (await run<{ id: number }>(db, 'select max(lastId) as id from positions'))[0]?.id
    await eventually(lastId, { timeout: 300_000 }).toBe(newest?.id)
    await eventually(async () => (await rewards()).length, { timeout: 300_000 }).toBe(2 * USERS)
    expect(await rewards()).toEqual(users.flatMap(({ id }) => [0, 1].map(() => ({ userId: id, amount: 20 }))))
  },
  600_000,
)
