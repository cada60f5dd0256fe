import type { Pool, Tables } from '@pointwise/db'
import { type Audit, audit } from '@pointwise/server'
import { CompiledQuery, type Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manyOrders, PRODUCTS } from './bulk-orders.ts'

const ORDERS = 100_000
const CHUNK = 10_000
const MEGABYTE = 2 ** 20

interface Statement {
  sql: string
  values: readonly unknown[]
  ms: number
}

let db: Pool
let result: Audit
let memory: number
const sent: Statement[] = []
beforeAll(async () => {
  db = await manyOrders('many', ORDERS, (sql, values, ms) => sent.push({ sql, values, ms }))
  sent.length = 0
  const before = process.memoryUsage().heapUsed
  let most = 0
  result = await audit(db, { progress: () => (most = Math.max(most, process.memoryUsage().heapUsed)) })
  memory = most - before
}, 180_000)
afterAll(() => db.destroy())

/** A kind of statement, whatever its parameters. */
const kinds = () => Map.groupBy(sent, ({ sql }) => sql)

test('200,000 rows of history are sound, and each is looked at', () => {
  const looked = (name: string) => result.checks.find((check) => check.name === name)?.rows
  expect(result.checks.flatMap(({ findings }) => findings)).toEqual([])
  expect(looked('chains')).toBe(2 * ORDERS)
  expect(looked('told')).toBe(3 * ORDERS)
  expect(looked('stock')).toBe(PRODUCTS)
})

test('memory is bounded', () => {
  expect(memory).toBeLessThan(100 * MEGABYTE)
})

test('the statements are as many as the chunks, and each is short', () => {
  const most = Math.max(...[...kinds().values()].map((statements) => statements.length))
  expect(most).toBeLessThanOrEqual((3 * ORDERS) / CHUNK + 1)
  expect(Math.max(...sent.map(({ ms }) => ms))).toBeLessThan(5_000)
})

test('no statement reads a large table as a whole', async () => {
  const scans: string[] = []
  for (const [sql, statements] of kinds()) {
    if (!sql.startsWith('select')) continue
    const middle = statements[Math.floor(statements.length / 2)]
    const explain = CompiledQuery.raw(`explain format=traditional ${sql}`, [...(middle?.values ?? [])])
    const { rows } = await (db as unknown as Kysely<Tables>).executeQuery(explain)
    for (const { table, type, rows: read } of rows as { table: string | null; type: string; rows: string | number }[]) {
      // Of a statement with a limit EXPLAIN tells how much there is, not how much is read.
      const isLarge = Number(read) > 5 * CHUNK && (type === 'ALL' || !/ limit /.test(sql))
      if (isLarge && !table?.startsWith('<')) scans.push(`${table} by ${type}, ${read} rows: ${sql}`)
    }
  }
  expect(scans).toEqual([])
})
