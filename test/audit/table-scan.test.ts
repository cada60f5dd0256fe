import type { Pool } from '@pointwise/db'
import { type AuditOptions, audit } from '@pointwise/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { keepBooks, unguardedDatabase } from './sound-shop.ts'

let db: Pool
beforeAll(async () => {
  db = await unguardedDatabase()
})
afterAll(() => db.destroy())

const MUCH = 'update points set point = point + 1; update point_histories set balance = balance + 1'

/** What it found, in an order that does not depend on how the tables were cut. */
async function found(options: AuditOptions = {}) {
  const { sound, checks } = await audit(db, options)
  const sorted = checks.map(({ findings, ...check }) => ({
    ...check,
    findings: findings.map((finding) => JSON.stringify(finding)).toSorted(),
  }))
  return { sound, checks: sorted }
}

const CUTS: [string, AuditOptions][] = [
  ['two rows at a time', { chunkSize: 2 }],
  ['one row at a time', { chunkSize: 1 }],
  ['the sales of a product at a time', { entriesMax: 1 }],
  ['both', { chunkSize: 2, entriesMax: 1 }],
]

test.each(CUTS)('read %s, sound books are as sound, and as many rows are looked at', async (_, options) => {
  await keepBooks(db)
  const whole = await found()
  expect(whole.sound).toBe(true)
  expect(await found(options)).toEqual(whole)
})

test.each(CUTS)('read %s, broken books are broken in the same rows', async (_, options) => {
  const { events, orders, products } = await keepBooks(db)
  for (const statement of [
    ...MUCH.split('; '),
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
  const whole = await found()
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
    'references',
  ])
  expect(await found(options)).toEqual(whole)
})

test('all findings are counted, and the first are kept', async () => {
  await keepBooks(db)
  await run(db, 'update point_histories set balance = balance + 1')
  const chains = async (options: AuditOptions) =>
    (await audit(db, options)).checks.find(({ name }) => name === 'chains')
  const all = await chains({})
  expect(all?.broken).toBe(2)
  expect(all?.findings).toHaveLength(2)
  expect(await chains({ findingsMax: 1 })).toEqual({ ...all, findings: all?.findings.slice(0, 1) })
})
