import type { Pool } from '@pointwise/db'
import { type AuditOptions, audit } from '@pointwise/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { databaseWithoutConstraints, seedShop } from './seeded-shop.ts'

let db: Pool
beforeAll(async () => {
  db = await databaseWithoutConstraints()
})
afterAll(() => db.destroy())

/** The result of an audit, with findings in an order that does not depend on the chunks. */
async function sortedResult(options: AuditOptions = {}) {
  const { sound, checks } = await audit(db, options)
  const sorted = checks.map(({ findings, ...check }) => ({
    ...check,
    findings: findings.map((finding) => JSON.stringify(finding)).toSorted(),
  }))
  return { sound, checks: sorted }
}

const CHUNKINGS: [string, AuditOptions][] = [
  ['in chunks of two rows', { chunkSize: 2 }],
  ['in chunks of one row', { chunkSize: 1 }],
  ['with the sales of one product in memory', { entriesMax: 1 }],
  ['with the events replayed for one user and one product at a time', { subjectsMax: 1, chunkSize: 1 }],
  ['in chunks of two rows, with the sales of one product in memory', { chunkSize: 2, entriesMax: 1 }],
]

test.each(CHUNKINGS)('A consistent database read %s gives the same result as one read at once', async (_, options) => {
  await seedShop(db)
  const whole = await sortedResult()
  expect(whole.sound).toBe(true)
  expect(await sortedResult(options)).toEqual(whole)
})

test.each(CHUNKINGS)('A corrupt database read %s gives the same findings as one read at once', async (_, options) => {
  const { events, orders, products } = await seedShop(db)
  for (const statement of [
    'update points set point = point + 1',
    'update point_histories set balance = balance + 1',
    `delete from payments where order_id = ${orders.later}`,
    'update product_sales set `count` = `count` + 1',
    `delete from product_sales where product_id = ${products.mug}`,
    'update stock set stock = stock + 1',
    `delete from events where id = ${events.placed}`,
    `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events where id = ${events.paid}`,
    `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events where id = ${events.paid}`,
    'update order_products set product_id = 999999999 where price = 250',
  ]) {
    await run(db, statement)
  }
  const whole = await sortedResult()
  const broken = whole.checks.filter((check) => check.broken > 0).map(({ name }) => name)
  expect(broken).toEqual([
    'balances',
    'chains',
    'total',
    'payments',
    'stock',
    'sales',
    'hours',
    'told',
    'events',
    'states',
    'times',
    'references',
  ])
  expect(await sortedResult(options)).toEqual(whole)
})

test('All findings are counted, and the first findingsMax are returned', async () => {
  await seedShop(db)
  await run(db, 'update point_histories set balance = balance + 1')
  const chains = async (options: AuditOptions) =>
    (await audit(db, options)).checks.find(({ name }) => name === 'chains')
  const all = await chains({})
  expect(all?.broken).toBe(2)
  expect(all?.findings).toHaveLength(2)
  expect(await chains({ findingsMax: 1 })).toEqual({ ...all, findings: all?.findings.slice(0, 1) })
})
