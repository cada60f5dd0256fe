import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient, type StockChange } from '@pointwise/client-sdk'
import { describe, expect, test } from 'vitest'
import { kafkaIsMissing, startKafka } from '../relay/kafka-cluster.ts'
import { newTopic } from '../relay/open-relay.ts'
import { TopicReader } from '../relay/topic-reader.ts'
import { JWT_SECRET } from '../setup/configuration.ts'
import { eventsOf } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { runConcurrently } from '../setup/refusals.ts'
import { startRoundRobinProxy } from '../setup/round-robin-proxy.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, openShop, PATIENT_LOCKS } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const compose = readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8')
const [, member = ''] =
  /^ {2}server-1: &member\n([\s\S]*?)\n {2}server-2: \*member\n {2}server-3: \*member\n/m.exec(compose) ?? []
/** What the servers of the profile set in addition to the variables of a single server. */
const VARIABLES = Object.fromEntries(
  [...member.matchAll(/^ {6}([A-Z_]+): "?([^"\n]+)"?$/gm)].map(([, name = '', value = '']) => [name, value]),
)
const LIMIT = 100
const STOCK = 60
const BUYERS = 80

const missing = valkeyIsMissing ?? kafkaIsMissing

describe.skipIf(missing)(`The profile servers of docker-compose.yml${missing ? ` (${missing})` : ''}`, () => {
  test('as processes: three servers behind a proxy are one shop, also when one of them is killed', async () => {
    expect(Object.keys(VARIABLES).toSorted()).toEqual([
      'KAFKA_BROKERS',
      'REDIS_URL',
      'SHUTDOWN_DELAY_MS',
      'TRUST_PROXY',
    ])
    await using kafka = await startKafka()
    await using valkey = await startValkey()
    await using shop = await openShop({ database: PATIENT_LOCKS })
    const topic = newTopic()
    const env = {
      ...VARIABLES,
      DATABASE_URL: shop.databaseUrl,
      JWT_SECRET,
      PORT: '0',
      RATE_LIMIT: String(LIMIT),
      REDIS_URL: valkey.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC: topic,
    }
    await using one = new ServerProcess(env)
    await using two = new ServerProcess(env)
    await using three = new ServerProcess(env)
    const servers = [one, two, three]
    const urls = await Promise.all(servers.map((server) => server.url()))
    for (const server of servers) await eventually(() => server.stdout).toContain('Redis is available')
    await using proxy = await startRoundRobinProxy(urls)
    const clientOf = (token: string, client: string) =>
      createClient({ url: proxy.url, token, headers: { 'x-client': client } })

    const product = await shop.givenProduct({ price: 10, stock: STOCK })
    const buyers = await shop.givenUsers(BUYERS, { points: 10 })
    using stock = await subscribe<StockChange>((callbacks) =>
      createClient({ url: proxy.url }).products.onStock.subscribe({ productIds: [product.id] }, callbacks),
    )
    const sell = (some: typeof buyers) =>
      runConcurrently(
        some.map(
          ({ token }, index) =>
            () =>
              clientOf(token, `192.0.2.${index}`).orders.checkout.mutate({ items: [item(product)] }),
        ),
      )
    const first = await sell(buyers.slice(0, BUYERS / 2))
    three.child.kill('SIGKILL')
    const second = await sell(buyers.slice(BUYERS / 2))
    expect(first.answers.length + second.answers.length).toBe(STOCK)
    expect({ ...first.refusals, ...second.refusals }).toEqual({ stock_insufficient: BUYERS - STOCK })
    // The client of a stream at the killed server resumes at another one.
    await eventually(() => stock.changes.at(-1)?.products[0]?.stock).toBe(0)
    expect(stock.changes).toHaveLength(STOCK)

    const call = () => fetch(`${proxy.url}/trpc/products.topSelling`, { headers: { 'x-client': '198.51.100.1' } })
    const statuses = await Promise.all(Array.from({ length: 2 * LIMIT }, async () => (await call()).status))
    expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT)

    await using reader = await TopicReader.open(kafka.brokers, topic)
    const paid = (await eventsOf(shop.db, 'order.paid')).length
    expect(paid).toBe(STOCK)
    await eventually(() => reader.records.filter(({ headers }) => headers.ce_type === 'order.paid').length).toBe(paid)
  })
})
