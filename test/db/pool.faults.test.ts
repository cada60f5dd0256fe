import { connect, type Tables, transact } from '@pointwise/db'
import type { Kysely } from 'kysely'
import { createConnection } from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'
import { emptyDatabase, holdConnection, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { post } from '../setup/raw-http.ts'
import { item, openShop } from '../setup/shop.ts'

test('connection attempts to an unresponsive server do not occupy the pool after it recovers', async () => {
  const { url, db: setup } = await emptyDatabase()
  await setup.destroy()
  await using proxy = await faultProxy(url)
  proxy.stall()
  const db = connect(proxy.url, { connections: 2, acquireTimeoutMs: 200 })
  onTestFinished(() => db.destroy())
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => run(db, 'select 1')))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
  proxy.enable()
  const started = performance.now()
  await eventually(() => run(db, 'select 1').catch(() => undefined)).toBeDefined()
  // Less than the driver's own connect timeout of 10 s.
  expectWithin(performance.now() - started, 5_000)
})

test('ten connections that died silently while idle cost the next ten calls one short wait in total', async () => {
  const { url, db: setup } = await emptyDatabase()
  await setup.destroy()
  await using proxy = await faultProxy(url)
  const db = connect(proxy.url, { connections: 10, checkAfterIdleMs: 0 })
  onTestFinished(() => db.destroy())
  const held = await Promise.all(Array.from({ length: 10 }, () => holdConnection(db)))
  await Promise.all(held.map((each) => each[Symbol.asyncDispose]()))
  expect(proxy.forget()).toBe(10)
  const started = performance.now()
  for (let call = 0; call < 10; call++) await transact(db, (tx) => run(tx, 'select 1'))
  // The check of one connection takes 0.5 s.
  expectWithin(performance.now() - started, 2_000)
})

test('the server ends the transaction of a client that vanished within a minute', async () => {
  const { url, db: observer } = await emptyDatabase({ lockWaitSeconds: 100, statementTimeoutMs: 100_000 })
  onTestFinished(() => observer.destroy())
  await transact(observer, (tx) => tx.insertInto('users').values({ name: 'Ada' }).execute())
  await using proxy = await faultProxy(url)
  const db = connect(proxy.url)
  await (db as unknown as Kysely<Tables>).connection().execute(async (connection) => {
    await run(connection, 'begin')
    await run(connection, "update users set name = 'Ben'")
    proxy.forget()
    proxy.stall()
    const started = performance.now()
    expect(await transact(observer, (tx) => run(tx, 'select name from users for update'))).toEqual([{ name: 'Ada' }])
    expectWithin(performance.now() - started, 65_000)
  })
  await db.destroy()
})

test('a call that needs a table with a metadata lock is refused within six seconds, and holds no lock afterwards', async () => {
  await using shop = await openShop()
  const { client, id } = await shop.givenUser({ points: 1_000 })
  const product = await shop.givenProduct()
  const [reader, changer] = [await createConnection(shop.databaseUrl), await createConnection(shop.databaseUrl)]
  await reader.query('begin')
  await reader.query('select count(*) from products')
  const change = changer.query("alter table products comment = 'changed'")
  const waiting = "select 1 from information_schema.processlist where state like 'Waiting for%metadata lock'"
  await eventually(() => run(shop.db, waiting)).not.toHaveLength(0)

  const token = await shop.userToken(id)
  const started = performance.now()
  const answer = await post(shop, 'orders.checkout', { token, input: { items: [item(product)] } })
  expectWithin(performance.now() - started, 6_000)
  expect(answer).toMatchObject({ status: 503, refusal: { code: 'service_busy' } })
  expect(await client.points.charge.mutate({ amount: 1 })).toMatchObject({ balance: 1_001 })

  await reader.query('commit')
  await change
  expect(await client.orders.checkout.mutate({ items: [item(product)] })).toMatchObject({ balance: 901 })
  await reader.end()
  await changer.end()
})
