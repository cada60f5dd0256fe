import { createClient } from '@pointwise/client-sdk'
import { connect, createDatabase, migrate, type Pool, Replica } from '@pointwise/db'
import { audit, createCaller } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runAuditCommand } from '../audit/audit-command.ts'
import { JWT_SECRET, signToken, signUserToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, type Product } from '../setup/shop.ts'
import {
  type DatabaseCluster,
  type Member,
  mysqlIsMissing,
  STARTS_WITHIN_MS,
  startMysqlCluster,
} from './database-cluster.ts'
import { portOf } from './failover.ts'

/** How long a replica may take until it is used or no longer used. */
const PATIENT = { timeout: 180_000, interval: 50 }
const WRITER = '192.0.2.1'
const READER = '192.0.2.2'

describe.skipIf(mysqlIsMissing)(`An asynchronous replica${mysqlIsMissing ? ` (${mysqlIsMissing})` : ''}`, () => {
  let cluster: DatabaseCluster
  let primaryUrl: string
  let replicaUrl: string
  let member: Member
  let primary: Pool
  let product: Product
  let userId: number
  beforeAll(async () => {
    cluster = await startMysqlCluster('async')
    const [first, second] = cluster.members as [Member, Member]
    member = second
    primaryUrl = `${first.url}/shop`
    replicaUrl = `${second.url}/shop`
    await createDatabase(primaryUrl)
    await migrate(primaryUrl)
    primary = connect(primaryUrl)
    const admin = createCaller({ db: primary, admin: true })
    const store = await admin.stores.create({ name: 'Corner' })
    product = await admin.products.create({ storeId: store.id, name: 'Tea', price: 1, stock: 1_000_000 })
    ;({ id: userId } = await admin.users.create({ name: 'Ada' }))
    await createCaller({ db: primary, userId }).points.charge({ amount: 1_000_000 })
  }, STARTS_WITHIN_MS)
  afterAll(async () => {
    try {
      await primary?.destroy()
    } finally {
      await cluster?.[Symbol.asyncDispose]()
    }
  })

  const checkout = () => createCaller({ db: primary, userId }).orders.checkout({ items: [item(product)] })
  const stopApplying = () => member.run('stop replica sql_thread')
  const continueApplying = () => member.run('start replica sql_thread')

  /** Starts a server that uses the replica. */
  async function startServer(): Promise<{ server: ServerProcess; url: string }> {
    const server = new ServerProcess({
      DATABASE_URL: primaryUrl,
      DATABASE_REPLICA_URL: replicaUrl,
      JWT_SECRET,
      TRUST_PROXY: '1',
      RATE_LIMIT: 'off',
      PORT: '0',
    })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const url = await server.url()
    await eventually(() => server.stdout, PATIENT).toContain('"the replica is used for product lists')
    return { server, url }
  }

  /** A client with this address. */
  function clientOf(url: string, address: string, token: string): ReturnType<typeof createClient> {
    const withAddress: typeof fetch = (input, init) => {
      const headers = new Headers(init?.headers)
      headers.set('x-forwarded-for', address)
      return fetch(input, { ...init, headers })
    }
    return createClient({ url, token, fetch: withAddress })
  }

  /** The tables of the shop that the replica has read for other sessions than those that compare events, while `calls` were made. */
  async function readOnReplica(calls: () => Promise<unknown>): Promise<string[]> {
    await member.run('truncate table performance_schema.events_statements_summary_by_digest')
    await calls()
    const rows = await member.run<{ text: string }>(
      "select digest_text as text from performance_schema.events_statements_summary_by_digest where schema_name = 'shop' and digest_text like 'SELECT%'",
    )
    const tables = rows.flatMap(({ text }) =>
      [...text.matchAll(/\b(?:FROM|JOIN) `(\w+)`/g)].map(([, table = '']) => table),
    )
    return [...new Set(tables)].filter((table) => table !== 'events').toSorted()
  }

  test('answers only product lists, rankings and the audit', async () => {
    const { url } = await startServer()
    const user = clientOf(url, READER, await signUserToken(userId))
    const admin = clientOf(url, READER, await signToken({ role: 'admin', sub: 'admin' }))
    const { order } = await clientOf(url, WRITER, await signUserToken(userId)).orders.checkout.mutate({
      items: [item(product)],
    })
    const orderId = order.id
    const read = await readOnReplica(async () => {
      await user.users.me.query()
      await user.stores.list.query()
      await user.products.get.query({ productId: product.id })
      await user.points.balance.query()
      await user.points.histories.query()
      await user.orders.get.query({ orderId })
      await user.orders.list.query()
      await user.payments.get.query({ orderId })
      const writer = clientOf(url, WRITER, await signUserToken(userId))
      await writer.points.charge.mutate({ amount: 1 })
      await writer.orders.checkout.mutate({ items: [item(product)] })
    })
    expect(read).toEqual([])
    for (const call of [
      () => user.products.list.query(),
      () => user.products.scroll.query(),
      () => user.products.topSelling.query(),
      () => user.products.trending.query(),
      () => admin.audit.run.query(),
    ]) {
      expect(await readOnReplica(call)).not.toEqual([])
    }
  })

  test('does not answer a client that has just written, nor any client once it is five seconds behind', async () => {
    const { server, url } = await startServer()
    const writer = clientOf(url, WRITER, await signUserToken(userId))
    const stockFor = async (client: ReturnType<typeof createClient>) =>
      (await client.products.list.query()).items[0]?.stock
    await stopApplying()
    onTestFinished(() => continueApplying().then(() => undefined))
    const before = await stockFor(writer)
    await writer.orders.checkout.mutate({ items: [item(product)] })
    expect(await stockFor(writer)).toBe((before ?? 0) - 1)
    const [onReplica] = await member.run<{ stock: number }>(
      `select stock from shop.stock where product_id = ${product.id}`,
    )
    expect(onReplica?.stock).toBe(before)

    await eventually(() => server.stdout, PATIENT).toMatch(
      /"reason":"it is more than 5 seconds behind the primary".*"the replica is not used/,
    )
    const reader = clientOf(url, READER, await signUserToken(userId))
    expect(await stockFor(reader)).toBe((before ?? 0) - 1)
  })

  test('is used until it is five seconds behind, hangs or is killed, and again afterwards', async () => {
    const reports: string[] = []
    const replica = new Replica({
      primary,
      url: replicaUrl,
      connections: 5,
      onUsed: () => reports.push('used'),
      onUnused: (reason) => reports.push(reason),
    })
    onTestFinished(() => replica.close())
    const answeredBy = async () => {
      const [row] = await replica.read((db) => run<{ port: number }>(db, 'select @@port as port'))
      return row?.port === portOf(member) ? 'replica' : 'primary'
    }
    await replica.start()
    await eventually(() => replica.isUsed, PATIENT).toBe(true)
    expect(await answeredBy()).toBe('replica')

    await stopApplying()
    onTestFinished(() => continueApplying().then(() => undefined))
    await checkout()
    await eventually(() => replica.isUsed, PATIENT).toBe(false)
    expect(await answeredBy()).toBe('primary')
    await eventually(() => reports.at(-1), PATIENT).toBe('it is more than 5 seconds behind the primary')
    await continueApplying()
    await eventually(() => replica.isUsed, PATIENT).toBe(true)

    await member.pause()
    expect(await answeredBy()).toBe('primary')
    await member.resume()
    await eventually(() => replica.isUsed, PATIENT).toBe(true)

    await member.kill()
    expect(await answeredBy()).toBe('primary')
    await member.restart()
    await eventually(() => replica.isUsed, PATIENT).toBe(true)
    expect(await answeredBy()).toBe('replica')
  })

  test('passes the audit while the primary is written to, also that of the command', async () => {
    const replica = new Replica({ primary, url: replicaUrl, connections: 1 })
    onTestFinished(() => replica.close())
    await replica.start()
    await eventually(() => replica.isUsed, PATIENT).toBe(true)
    let isLoaded = true
    const load = (async () => {
      while (isLoaded) await checkout()
    })()
    try {
      for (let onReplica = 0; onReplica < 3; ) {
        const { sound, checks } = await replica.readLong((pool) => {
          if (pool !== primary) onReplica++
          return audit(pool)
        })
        expect(checks.filter(({ broken }) => broken > 0)).toEqual([])
        expect(sound).toBe(true)
      }
      const env = { DATABASE_URL: primaryUrl, DATABASE_REPLICA_URL: replicaUrl }
      const auditedServer = async () => {
        const { code, stdout } = await runAuditCommand(env, '--json')
        expect(code).toBe(0)
        return JSON.parse(stdout).readFrom
      }
      await eventually(auditedServer, PATIENT).toBe('replica')
    } finally {
      isLoaded = false
      await load
    }
  })
})
