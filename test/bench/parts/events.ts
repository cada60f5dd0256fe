import { setTimeout } from 'node:timers/promises'
import { Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka'
import { createLogger } from '@pointwise/server'
import type { RowDataPacket } from 'mysql2/promise'
import { createRelay } from '../../../server/src/relay/create-relay.ts'
import { type KafkaCluster, kafkaIsMissing, startKafka } from '../../relay/kafka-cluster.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { eachOnce, payRequest } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, numbersUpTo, placeOrders, type Seeded } from '../seed.ts'
import { expectSound } from './payments.ts'

const USERS = 1_024
const PRODUCTS = 200
const BACKLOG = 100_000
const CONNECTIONS = 64
/** More than can be paid in a round. */
const ORDERS = 60_000
const STEADY_PER_SECOND = 500
const STEADY_SECONDS = 10
const POLL_MS = 20

/**
 * Measures the relay on a real broker: how fast it publishes a backlog, how much the payments of its process slow down, and how
 * long an event takes to a consumer.
 */
export async function events(bench: Bench): Promise<Figure[]> {
  if (kafkaIsMissing) {
    bench.print(`events: ${kafkaIsMissing}`)
    return []
  }
  await using kafka = await startKafka()
  return [
    ...(await backlog(bench, kafka)),
    ...(await paymentsBesideRelay(bench, kafka)),
    ...(await delayToConsumer(bench, kafka)),
  ]
}

/** Each round publishes the same events to a new topic. */
async function backlog(bench: Bench, { brokers }: KafkaCluster): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'backlog')
  await fillShop(shop, { users: USERS, products: PRODUCTS })
  await insertPayments(shop, BACKLOG)
  let topics = 0
  const { published } = await inTurn(bench, 'events', {
    published: async () => {
      const kafka = { brokers, topic: `backlog-${topics++}`, retentionDays: 0 }
      const { relay, close } = createRelay({ databaseUrl: shop.url, kafka, logger: createLogger('error') })
      const startedAt = performance.now()
      const count = await relay.drain()
      const seconds = (performance.now() - startedAt) / 1_000
      await close()
      if (count < BACKLOG) throw new Error(`The relay published ${count} of at least ${BACKLOG} events.`)
      return count / seconds
    },
  })
  await shop.end()
  return [
    {
      name: `events published from a backlog of ${BACKLOG.toLocaleString('en')}`,
      unit: '/s',
      values: published,
      baseline: { name: 'bound', values: published.map(() => 10_000) },
      goal: { atLeast: 1 },
    },
  ]
}

/** Two servers on a database each. The process of one of them publishes its events. */
async function paymentsBesideRelay(bench: Bench, { brokers }: KafkaCluster): Promise<Figure[]> {
  const topic = 'payments'
  const [published, unpublished] = [
    await newDatabase(bench.server, 'published'),
    await newDatabase(bench.server, 'unpublished'),
  ]
  for (const shop of [published, unpublished]) await fillShop(shop, { users: USERS, products: PRODUCTS })
  const withRelay = await startServer('server.ts', published.url, '30', topic, ...brokers)
  const withoutRelay = await startServer('server.ts', unpublished.url)
  const publishedInTime: number[] = []
  const pay = async (shop: Seeded, server: typeof withRelay) => {
    const orders = await placeOrders(shop, { count: ORDERS, users: USERS, products: PRODUCTS })
    const load = eachOnce(server, await Promise.all(orders.map(payRequest)), CONNECTIONS)
    if (server === withRelay) await untilPublished(shop, topic)
    const newest = await newestEvent(shop)
    const { perSecond } = await measure(load)
    if (server === withRelay) {
      const position = await cursor(shop, topic)
      publishedInTime.push((position - newest) / ((await newestEvent(shop)) - newest))
      await untilPublished(shop, topic)
    }
    return perSecond
  }
  const values = await inTurn(bench, 'events', {
    withRelay: () => pay(published, withRelay),
    withoutRelay: () => pay(unpublished, withoutRelay),
  })
  await Promise.all([withRelay.stop(), withoutRelay.stop()])
  await expectSound(published)
  await Promise.all([published.end(), unpublished.end()])
  return [
    {
      name: 'pay, spread, while the process publishes events',
      unit: '/s',
      values: values.withRelay,
      baseline: { name: 'without', values: values.withoutRelay },
      goal: { atLeast: 0.9 },
    },
    {
      name: 'events published by the end of that load',
      unit: '%',
      values: publishedInTime.slice(1).map((part) => part * 100),
    },
  ]
}

/** The time of an event precedes its COMMIT, so the delay includes the COMMIT. */
async function delayToConsumer(bench: Bench, { brokers }: KafkaCluster): Promise<Figure[]> {
  const topic = 'delays'
  const shop = await newDatabase(bench.server, 'delays')
  await fillShop(shop, { users: USERS, products: PRODUCTS })
  const server = await startServer('server.ts', shop.url, '30', topic, ...brokers)
  await untilPublished(shop, topic)
  const consumer = await consumeDelays(brokers, topic)
  const count = 1 + STEADY_PER_SECOND * STEADY_SECONDS
  const { delays } = await inTurn(
    bench,
    'events',
    {
      delays: async () => {
        const orders = await placeOrders(shop, { count, users: USERS, products: PRODUCTS })
        const [first, ...requests] = await Promise.all(orders.map(payRequest))
        if (!first) throw new Error('There is no order.')
        // The INSERT of the orders' events has left a gap of ids, which the relay waits for once.
        await measure(eachOnce(server, [first], 1))
        await untilPublished(shop, topic)
        const after = await newestEvent(shop)
        const load = eachOnce(server, requests, CONNECTIONS)
        const { perSecond } = await measure({
          ...load,
          durationMs: STEADY_SECONDS * 1_000,
          perSecond: STEADY_PER_SECOND,
        })
        // The payments of the load are the last events.
        const last = await newestEvent(shop)
        while (!consumer.payments.has(last)) await setTimeout(POLL_MS)
        const delays = [...consumer.payments]
          .filter(([id]) => id > after)
          .map(([, delay]) => delay)
          .toSorted((a, b) => a - b)
        const at = (share: number) => delays[Math.floor(delays.length * share)] ?? Number.NaN
        return { p50: at(0.5), p99: at(0.99), perSecond }
      },
    },
    ({ p50, p99, perSecond }) => `p50 ${p50} ms, p99 ${p99} ms at ${Math.round(perSecond)} payments/s`,
  )
  await consumer.close()
  await server.stop()
  await shop.end()
  const figure = (name: 'p50' | 'p99'): Figure => ({
    name: `a payment to the consumer of its event, ${STEADY_PER_SECOND} payments/s, ${name}`,
    unit: 'ms',
    values: delays.map((delay) => delay[name]),
  })
  return [
    figure('p50'),
    figure('p99'),
    {
      name: 'payments of that load',
      unit: '/s',
      values: delays.map(({ perSecond }) => perSecond),
      baseline: { name: 'offered', values: delays.map(() => STEADY_PER_SECOND) },
      goal: { atLeast: 0.95 },
    },
  ]
}

/** Consumes a topic, and measures the delay of each payment in milliseconds, by the id of its event. */
async function consumeDelays(brokers: string[], topic: string) {
  const payments = new Map<number, number>()
  const consumer = new Consumer({
    clientId: 'bench',
    groupId: `bench-${process.pid}`,
    bootstrapBrokers: brokers,
    deserializers: stringDeserializers,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
    maxWaitTime: 50,
  })
  stream.on('data', ({ headers }) => {
    const [id, type, time] = ['ce_id', 'ce_type', 'ce_time'].map((name) => headers.get(name) ?? '')
    if (type === 'order.paid') payments.set(Number(id), Date.now() - Date.parse(String(time)))
  })
  return { payments, close: () => consumer.close(true) }
}

/** Inserts events of payments, as requests with a trace context cause them. */
async function insertPayments(shop: Seeded, count: number): Promise<void> {
  await numbersUpTo(shop, count)
  await shop.connection.query(
    `insert into events (type, \`key\`, payload, traceparent) select 'order.paid', concat('user:', 1 + n % ?),
    json_object('userId', 1 + n % ?, 'orderId', 1 + n, 'amount', 400, 'balance', 999600,
      'items', json_array(json_object('productId', 1 + n % ?, 'quantity', 1, 'stock', 999999999))),
    concat('00-', lower(lpad(hex(1 + n), 32, '0')), '-', lower(lpad(hex(1 + n), 16, '0')), '-01') from numbers where n < ?`,
    [USERS, USERS, PRODUCTS, count],
  )
}

async function newestEvent({ connection }: Seeded): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('select max(id) as id from events')
  return rows[0]?.id
}

async function cursor({ connection }: Seeded, topic: string): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('select position from outbox_cursors where name = ?', [
    `kafka:${topic}`,
  ])
  return rows[0]?.position ?? 0
}

async function untilPublished(shop: Seeded, topic: string): Promise<void> {
  while ((await cursor(shop, topic)) < (await newestEvent(shop))) await setTimeout(POLL_MS)
}
