import { connect, createDatabase, migrate } from '@pointwise/db'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, holdConnection, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { openShop } from '../setup/shop.ts'
import { startServer } from '../setup/start-server.ts'
import { json, send } from '../setup/trpc-wire.ts'

async function migrated(name: string): Promise<string> {
  const url = databaseUrl(name)
  await createDatabase(url)
  await migrate(url)
  return url
}

test('a server with a reachable, migrated database is live and ready', async () => {
  await using shop = await openShop()
  expect(await send(shop, '/livez')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
  expect(await send(shop, '/readyz')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
})

test('a server whose process is starting or closing is not ready, and serves every other call', async () => {
  const db = connect(await migrated('unready'))
  let reason: 'starting' | 'closing' | undefined = 'starting'
  await using server = await startServer({ db, unreadyReason: () => reason })
  for (reason of ['starting', 'closing'] as const) {
    expect(await send(server, '/readyz')).toMatchObject({
      status: 503,
      text: `{"status":"unavailable","problem":"${reason}"}`,
    })
    expect((await send(server, '/livez')).status).toBe(200)
    expect((await send(server, '/trpc/stores.list')).status).toBe(200)
  }
  reason = undefined
  expect((await send(server, '/readyz')).status).toBe(200)
})

test('the liveness check executes no statement', async () => {
  await using shop = await openShop()
  shop.statements.length = 0
  await send(shop, '/livez')
  expect(shop.statements).toEqual([])
})

test('without its database, a server is live and not ready, and refuses calls with service_busy without revealing internals', async () => {
  const db = connect('mysql://root@127.0.0.1:1/nowhere')
  await using server = await startServer({ db })
  expect((await send(server, '/livez')).status).toBe(200)
  expect(await send(server, '/readyz')).toMatchObject({
    status: 503,
    text: '{"status":"unavailable","problem":"database unreachable"}',
  })
  const answer = await send(server, '/trpc/stores.list')
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(JSON.parse(answer.text).error.json.data.refusal).toEqual({
    code: 'service_busy',
    retry: 'same-key',
    afterMs: 1_000,
  })
})

test('a server whose database does not respond reports within seconds that it is not ready', async () => {
  const url = await migrated('silent')
  await using proxy = await faultProxy(url)
  proxy.inject('blackhole', /from `kysely_migration`$/)
  const db = connect(proxy.url)
  await using server = await startServer({ db })
  const started = performance.now()
  expect((await send(server, '/readyz')).status).toBe(503)
  expectWithin(performance.now() - started, 6_000)
  await proxy.close()
  await eventually(() => run(db, 'select 1').catch(({ cause }) => cause.code)).toBe('ECONNREFUSED')
})

test('a server is ready again when its database works again', async () => {
  const url = await migrated('comes-back')
  const db = connect(url)
  await using server = await startServer({ db })
  const status = async () => (await send(server, '/readyz')).status
  expect(await status()).toBe(200)
  await run(db, 'rename table kysely_migration to migrations_away')
  await eventually(status).toBe(503)
  await run(db, 'rename table migrations_away to kysely_migration')
  await eventually(status).toBe(200)
})

test('a server whose database lacks a migration is not ready', async () => {
  const url = await migrated('lacking')
  const db = connect(url)
  await run(db, 'delete from kysely_migration order by name desc limit 1')
  onTestFinished(async () => void (await migrate(url)))
  await using server = await startServer({ db })
  expect(await send(server, '/readyz')).toMatchObject({
    status: 503,
    text: '{"status":"unavailable","problem":"migrations pending"}',
  })
})

describe('the readiness check', () => {
  const isCheck = (sql: string) => sql.includes('kysely_migration')

  test('is executed once for 200 callers, on the pool for it', async () => {
    const url = await migrated('shared-check')
    const [calls, checks]: [string[], string[]] = [[], []]
    const db = connect(url, { log: ({ query }) => void calls.push(query.sql) })
    const readinessDb = connect(url, { connections: 1, log: ({ query }) => void checks.push(query.sql) })
    onTestFinished(() => readinessDb.destroy())
    await using server = await startServer({ db, readinessDb })
    const answers = await Promise.all(Array.from({ length: 200 }, () => send(server, '/readyz')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(calls.filter(isCheck)).toEqual([])
    // More than one only if the callers took longer than the second for which a result is used.
    expect(checks.filter(isCheck).length).toBeLessThan(20)
  })

  test('succeeds while calls occupy every connection of their pool', async () => {
    const url = await migrated('occupied-pool')
    const db = connect(url, { connections: 2 })
    const readinessDb = connect(url, { connections: 1 })
    onTestFinished(() => readinessDb.destroy())
    await using server = await startServer({ db, readinessDb })
    await using _one = await holdConnection(db)
    await using _two = await holdConnection(db)
    expect((await send(server, '/readyz')).status).toBe(200)
  })

  test('that does not end is shared by all callers and followed by another', async () => {
    const url = await migrated('stalled-check')
    await using proxy = await faultProxy(url)
    proxy.inject('blackhole', /from `kysely_migration`$/)
    const checks: string[] = []
    const readinessDb = connect(proxy.url, { connections: 1, log: ({ query }) => void checks.push(query.sql) })
    onTestFinished(() => readinessDb.destroy())
    await using server = await startServer({ db: connect(url), readinessDb })
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(server, '/readyz')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    await proxy.close()
  })
})

test('a health check with another method than GET is a 404', async () => {
  await using shop = await openShop()
  expect((await send(shop, '/readyz', json('{}'))).status).toBe(404)
})
