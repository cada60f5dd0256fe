import { connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cursorOf } from '../../server/src/outbox/cursor-names.ts'
import { JWT_SECRET, signToken, signUserToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { insertUsers } from '../setup/insert-users.ts'
import { expectAuditPasses } from '../setup/invariants.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { type FailingDatabase, startFailingDatabase } from './failing-database.ts'
import { type KafkaCluster, kafkaIsMissing, startKafka } from './kafka-cluster.ts'
import { type CursorRow, readCursor } from './outbox-rows.ts'
import { expectCompleteTopic } from './rebuild-shop.ts'
import { Shoppers } from './shoppers.ts'
import { TopicReader } from './topic-reader.ts'

const CHECKOUTS = 20_000
const USERS = 50
const PRODUCTS = 12
const SERVERS = 2
const TOPIC = 'every-event'
/** A failure of this test is a deadlock, or a slow machine that is not waited for any longer. */
const TIMEOUT_MS = 1_800_000
const patient = { timeout: 300_000, interval: 50 }

/** Server processes that publish to one topic. */
class Servers implements AsyncDisposable {
  readonly #env: Record<string, string>
  readonly #db: Pool
  readonly #processes: ServerProcess[] = []
  urls: string[] = []

  constructor(db: Pool, env: Record<string, string>) {
    this.#db = db
    this.#env = env
  }

  async start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.#processes.push(new ServerProcess({ ...this.#env, PORT: '0' }))
    this.urls = await Promise.all(this.#processes.map((server) => server.url()))
  }

  async cursor(): Promise<CursorRow> {
    return (await readCursor(this.#db, cursorOf(TOPIC))) ?? { position: 0, epoch: 0, owner: null }
  }

  /** Waits until one of the processes publishes, and returns its index. */
  async holder(): Promise<number> {
    let index = -1
    await eventually(async () => {
      const { owner } = await this.cursor()
      index = this.#processes.findIndex(({ child }) => owner?.endsWith(`:${child.pid}`))
      return index
    }, patient).toBeGreaterThanOrEqual(0)
    return index
  }

  /** Waits until another process has acquired the lease, and has published events. */
  async takeover(after: CursorRow): Promise<void> {
    await eventually(async () => (await this.cursor()).epoch, patient).toBeGreaterThan(after.epoch)
    await this.progress()
  }

  /** Waits until events are published. */
  async progress(): Promise<void> {
    const { position } = await this.cursor()
    await eventually(async () => (await this.cursor()).position, patient).toBeGreaterThan(position)
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#processes[index]?.child.kill(signal)
  }

  /** Kills a process, and starts another one on its port. */
  async replace(index: number, meanwhile: () => Promise<void>): Promise<void> {
    await this.#processes[index]?.[Symbol.asyncDispose]()
    await meanwhile()
    const url = this.urls[index] ?? ''
    const server = new ServerProcess({ ...this.#env, PORT: new URL(url).port })
    this.#processes[index] = server
    expect(await server.url()).toBe(url)
  }

  /** Ends every process after it has answered its calls. */
  async close(): Promise<void> {
    for (const { child } of this.#processes) child.kill('SIGTERM')
    const codes = await Promise.all(this.#processes.map((server) => server.exitCode()))
    expect(codes).toEqual(codes.map(() => 0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((server) => server[Symbol.asyncDispose]()))
  }
}

interface Scene {
  servers: Servers
  shoppers: Shoppers
  database: FailingDatabase
}

let kafka: KafkaCluster

/** Waits until this number of further checkouts was acknowledged. */
const moreCheckouts = ({ shoppers }: Scene, count: number) => {
  const before = shoppers.checkouts
  return eventually(() => shoppers.checkouts, patient).toBeGreaterThan(before + count)
}

/** Suspends the process that publishes, until another one has published. */
async function suspendHolder({ servers }: Scene, meanwhile: () => Promise<void> = async () => undefined) {
  const holder = await servers.holder()
  const cursor = await servers.cursor()
  servers.signal(holder, 'SIGSTOP')
  await meanwhile()
  await servers.takeover(cursor)
  servers.signal(holder, 'SIGCONT')
}

async function restartDatabase({ database, shoppers }: Scene) {
  await database.fail()
  const before = shoppers.checkouts
  await database.recover()
  await eventually(() => shoppers.checkouts, patient).toBeGreaterThan(before)
}

/** What fails in turn. */
const FAULTS: ((scene: Scene) => Promise<void>)[] = [
  async function killHolder({ servers }) {
    const cursor = await servers.cursor()
    await servers.replace(await servers.holder(), () => servers.takeover(cursor))
  },
  async function killBroker(scene) {
    await kafka.kill(1)
    await moreCheckouts(scene, 500)
    await kafka.restart(1)
    await scene.servers.progress()
  },
  (scene) => suspendHolder(scene),
  async function killDatabase(scene) {
    await restartDatabase(scene)
    await scene.servers.progress()
  },
  async function killHolderWithoutBroker(scene) {
    await kafka.kill(1)
    await scene.servers.replace(await scene.servers.holder(), () => moreCheckouts(scene, 100))
    await kafka.restart(1)
    await scene.servers.progress()
  },
  (scene) => suspendHolder(scene, () => restartDatabase(scene)),
]

async function prepare(url: string) {
  await createDatabase(url)
  await migrate(url)
  const db = connect(url, { acquireTimeoutMs: 60_000 })
  const admin = createCaller({ db, admin: true })
  const { id: storeId } = await admin.stores.create({ name: 'Corner' })
  const products = await Promise.all(
    Array.from({ length: PRODUCTS }, (_, n) =>
      admin.products.create({ storeId, name: `product ${n}`, price: n % 4, stock: 1_000_000 }),
    ),
  )
  const names = Array.from({ length: USERS }, (_, n) => `user ${n}`)
  const userIds = await insertUsers(db, names, 500_000)
  const tokens = await Promise.all(userIds.map(signUserToken))
  return { db, products, tokens, adminToken: await signToken({ sub: 'admin', role: 'admin' }) }
}

describe.skipIf(kafkaIsMissing)(`Every event reaches Kafka${kafkaIsMissing ? ` (${kafkaIsMissing})` : ''}`, () => {
  beforeAll(async () => {
    kafka = await startKafka()
  })
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  test('once and in order for its consumers, during 20,000 checkouts while the servers, the broker and the database fail in turn', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using database = await startFailingDatabase('every_event')
    const { db, ...given } = await prepare(database.url)
    await using servers = new Servers(db, {
      DATABASE_URL: database.url,
      JWT_SECRET,
      RATE_LIMIT: 'off',
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC: TOPIC,
    })
    await servers.start(SERVERS)
    const shoppers = new Shoppers({ ...given, urls: servers.urls })
    const scene = { servers, shoppers, database }
    const faults = async () => {
      for (const fault of FAULTS) {
        await moreCheckouts(scene, CHECKOUTS / FAULTS.length / 2)
        await fault(scene)
      }
      await eventually(() => shoppers.checkouts, patient).toBeGreaterThanOrEqual(CHECKOUTS)
    }
    await Promise.race([faults(), shoppers.finished])
    shoppers.stop()
    await shoppers.finished

    const [newest] = await run<{ id: number }>(db, 'select max(id) as id from events')
    await eventually(async () => (await servers.cursor()).position, patient).toBe(newest?.id)
    await servers.close()
    await using reader = await TopicReader.open(kafka.brokers, TOPIC)
    await expectCompleteTopic(db, await reader.readToEnd())
    await expectAuditPasses(db)
    await db.destroy()
  })
})
