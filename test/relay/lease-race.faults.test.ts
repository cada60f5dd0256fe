import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cursorOf } from '../../server/src/outbox/cursor-names.ts'
import type { RelayEvent } from '../../server/src/relay/kafka-message.ts'
import { KafkaPublisher } from '../../server/src/relay/kafka-publisher.ts'
import { OutboxRelay } from '../../server/src/relay/outbox-relay.ts'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { type Fault, type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { type KafkaCluster, kafkaIsMissing, startKafka } from './kafka-cluster.ts'
import { newTopic } from './open-relay.ts'
import { type CursorRow, readCursor } from './outbox-rows.ts'
import { expectCompleteTopic } from './rebuild-shop.ts'
import { TopicReader } from './topic-reader.ts'

const RELAYS = 4
const TAKEOVER_MS = 10_000
const SCRIPT = join(import.meta.dirname, '../../server/scripts/relay.ts')
const patient = { timeout: 300_000, interval: 20 }

let kafka: KafkaCluster

const cursorIn = async ({ db }: Shop, topic: string): Promise<CursorRow> =>
  (await readCursor(db, cursorOf(topic))) ?? { position: 0, epoch: 0, owner: null }

/** Waits until another process has acquired the lease, within the promised time since it was lost. */
async function expectTakeover(shop: Shop, topic: string, { epoch }: CursorRow): Promise<void> {
  const startedAt = performance.now()
  await eventually(async () => (await cursorIn(shop, topic)).epoch, patient).toBeGreaterThan(epoch)
  expectWithin(performance.now() - startedAt, TAKEOVER_MS)
}

async function expectProgress(shop: Shop, topic: string): Promise<void> {
  const { position } = await cursorIn(shop, topic)
  await eventually(async () => (await cursorIn(shop, topic)).position, patient).toBeGreaterThan(position)
}

/** Starts buyers who check out without a pause, until the returned function is called. */
async function openBuyers(shop: Shop): Promise<() => Promise<void>> {
  const product = await shop.givenProduct({ price: 1, stock: 1_000_000 })
  const users = await shop.givenUsers(4, { points: 500_000 })
  let isOpen = true
  const buying = Promise.all(
    users.map(async ({ client }) => {
      while (isOpen) await client.orders.checkout.mutate({ items: [item(product)] })
    }),
  )
  buying.catch(() => undefined)
  const close = async () => {
    isOpen = false
    await buying
  }
  onTestFinished(() => {
    isOpen = false
  })
  return close
}

/** Waits until everything is published, and compares the topic with the tables. */
async function expectComplete(shop: Shop, topic: string): Promise<number> {
  const [newest] = await run<{ id: number }>(shop.db, 'select max(id) as id from events')
  await eventually(async () => (await cursorIn(shop, topic)).position, patient).toBe(newest?.id)
  await using reader = await TopicReader.open(kafka.brokers, topic)
  const records = await reader.readToEnd()
  await expectCompleteTopic(shop.db, records)
  return records.length
}

/** A relay as a process of its own, whose statements pass a proxy. */
interface RelayProcess {
  child: ChildProcess
  proxy: FaultProxy
}

async function startRelayProcess({ databaseUrl }: Shop, topic: string): Promise<RelayProcess> {
  const proxy = await faultProxy(databaseUrl)
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = {
    PATH,
    NODE_COMPILE_CACHE,
    DATABASE_URL: proxy.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC: topic,
  }
  const child = spawn(process.execPath, [SCRIPT], { env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    await proxy.close()
  })
  return { child, proxy }
}

const MOVE = /^update `outbox_cursors` set `position`/
const READ = /^select `id`, `type`, .* from `events`/

/** A holder is suspended before a statement reaches the database, or after it was executed and before its response arrives. */
const MOMENTS: { statement: RegExp; isExecuted: boolean }[] = [
  { statement: MOVE, isExecuted: false },
  { statement: MOVE, isExecuted: true },
  { statement: READ, isExecuted: false },
  { statement: READ, isExecuted: true },
]

describe.skipIf(kafkaIsMissing)(`Relays that race for the lease${kafkaIsMissing ? ` (${kafkaIsMissing})` : ''}`, () => {
  beforeAll(async () => {
    kafka = await startKafka()
  }, 600_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  test('publish every event in order while the holder is suspended or killed, and another one takes over within 10 seconds', {
    timeout: 900_000,
  }, async () => {
    await using shop = await openShop()
    const topic = newTopic()
    const close = await openBuyers(shop)
    const relays = await Promise.all(Array.from({ length: RELAYS }, () => startRelayProcess(shop, topic)))
    const holder = async () => {
      let found: RelayProcess | undefined
      await eventually(async () => {
        const { owner } = await cursorIn(shop, topic)
        found = relays.find(({ child }) => owner?.endsWith(`:${child.pid}`))
        return found
      }, patient).toBeDefined()
      return found ?? expect.fail()
    }
    await expectProgress(shop, topic)
    for (const { statement, isExecuted } of MOMENTS) {
      const { child, proxy } = await holder()
      const resumed = Promise.withResolvers<void>()
      const fault: Fault = isExecuted ? 'hang' : { until: resumed.promise }
      const reached = proxy.inject(fault, statement)
      await eventually(reached, patient).toBe(1)
      child.kill('SIGSTOP')
      await expectTakeover(shop, topic, await cursorIn(shop, topic))
      await expectProgress(shop, topic)
      resumed.resolve()
      child.kill('SIGCONT')
    }
    for (let n = 0; n < 2; n++) {
      const { child } = await holder()
      const cursor = await cursorIn(shop, topic)
      child.kill('SIGKILL')
      await expectTakeover(shop, topic, cursor)
      await expectProgress(shop, topic)
    }
    await close()
    await expectComplete(shop, topic)
  })

  test.each([
    ['before it sends a batch', 'before'],
    ['after the broker has acknowledged a batch', 'after'],
  ] as const)(
    'A holder that is cut off %s, and continues when another one has published, publishes nothing out of order',
    async (_name, moment) => {
      await using shop = await openShop()
      const topic = newTopic()
      const close = await openBuyers(shop)
      await using proxy = await faultProxy(shop.databaseUrl)
      const stale = startRelay(proxy.url, topic)
      await expectProgress(shop, topic)
      const cursor = await cursorIn(shop, topic)
      const reached = stale.publisher.suspend(moment)
      await reached
      // Nothing of this relay reaches the database any more.
      proxy.stall()
      proxy.forget()
      startRelay(shop.databaseUrl, topic)
      await expectTakeover(shop, topic, cursor)
      await expectProgress(shop, topic)
      proxy.enable()
      await stale.publisher.resume()
      await expectProgress(shop, topic)
      await close()
      const count = await expectComplete(shop, topic)
      const [events] = await run<{ count: number }>(shop.db, 'select count(*) as count from events')
      // The batch was published twice.
      expect(count).toBeGreaterThan(events?.count ?? 0)
    },
  )
})

/** Publishes to a real broker, and can be suspended before or after it has published a batch. */
class SuspendablePublisher extends KafkaPublisher {
  #suspension: { moment: 'before' | 'after'; reached: () => void; resumed: Promise<void> } | undefined
  #resume: () => void = () => undefined
  #published: Promise<void> = Promise.resolve()

  /** Suspends the next batch. Resolves when it has reached that moment. */
  suspend(moment: 'before' | 'after'): Promise<void> {
    const reached = Promise.withResolvers<void>()
    const resumed = Promise.withResolvers<void>()
    this.#suspension = { moment, reached: reached.resolve, resumed: resumed.promise }
    this.#resume = resumed.resolve
    return reached.promise
  }

  /** Resolves when the suspended batch is published. */
  async resume(): Promise<void> {
    this.#resume()
    await this.#published
  }

  override publish(events: readonly RelayEvent[]): Promise<void> {
    this.#published = this.#publish(events)
    return this.#published
  }

  async #publish(events: readonly RelayEvent[]): Promise<void> {
    const suspension = this.#suspension
    this.#suspension = undefined
    const pause = async (moment: 'before' | 'after') => {
      if (suspension?.moment !== moment) return
      suspension.reached()
      await suspension.resumed
    }
    await pause('before')
    await super.publish(events)
    await pause('after')
  }
}

function startRelay(databaseUrl: string, topic: string) {
  const db = connect(databaseUrl, { connections: 3, statementTimeoutMs: 4_000 })
  const publisher = new SuspendablePublisher({ brokers: kafka.brokers, topic })
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const relay = new OutboxRelay({ db, publisher, topic, retentionDays: 0, logger })
  onTestFinished(async () => {
    publisher.resume().catch(() => undefined)
    await relay.stop()
    await db.destroy()
  })
  relay.start()
  return { publisher }
}
