import type { Pool, Tables } from '@pointwise/db'
import { type AuditResult, audit } from '@pointwise/server'
import { CompiledQuery, type Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseWithOrders, PRODUCTS } from './bulk-data.ts'

const ORDERS = 100_000
const CHUNK = 10_000
const MEGABYTE = 2 ** 20

interface Statement {
  sql: string
  values: readonly unknown[]
  ms: number
}

let db: Pool
let result: AuditResult
let heapGrowth: number
const sent: Statement[] = []
beforeAll(async () => {
  db = await databaseWithOrders('many', ORDERS, (sql, values, ms) => sent.push({ sql, values, ms }))
  sent.length = 0
  const before = process.memoryUsage().heapUsed
  let peak = 0
  result = await audit(db, { progress: () => (peak = Math.max(peak, process.memoryUsage().heapUsed)) })
  heapGrowth = peak - before
}, 180_000)
afterAll(() => db.destroy())

/** The statements, grouped by their SQL text without parameters. */
const statementsByText = () => Map.groupBy(sent, ({ sql }) => sql)

test('An audit of 200,000 history rows finds nothing and reads every row', () => {
  const rowsOf = (name: string) => result.checks.find((check) => check.name === name)?.rows
  expect(result.checks.flatMap(({ findings }) => findings)).toEqual([])
  expect(rowsOf('chains')).toBe(2 * ORDERS)
  expect(rowsOf('told')).toBe(3 * ORDERS)
  expect(rowsOf('stock')).toBe(PRODUCTS)
})

test('The heap grows by less than 100 MB', () => {
  expect(heapGrowth).toBeLessThan(100 * MEGABYTE)
})

test('Each kind of statement runs once a chunk, and every statement takes less than 5 seconds', () => {
  const runsMax = Math.max(...[...statementsByText().values()].map((statements) => statements.length))
  expect(runsMax).toBeLessThanOrEqual((3 * ORDERS) / CHUNK + 1)
  expect(Math.max(...sent.map(({ ms }) => ms))).toBeLessThan(5_000)
})

test('No statement scans a whole large table', async () => {
  const scans: string[] = []
  for (const [sql, statements] of statementsByText()) {
    if (!sql.startsWith('select')) continue
    const middle = statements[Math.floor(statements.length / 2)]
    const explain = CompiledQuery.raw(`explain format=traditional ${sql}`, [...(middle?.values ?? [])])
    const { rows } = await (db as unknown as Kysely<Tables>).executeQuery(explain)
    for (const { table, type, rows: read } of rows as { table: string | null; type: string; rows: string | number }[]) {
      // For a statement with a limit, EXPLAIN shows the rows of the range, not the rows that are read.
      const isLarge = Number(read) > 5 * CHUNK && (type === 'ALL' || !/ limit /.test(sql))
      if (isLarge && !table?.startsWith('<')) scans.push(`${table} by ${type}, ${read} rows: ${sql}`)
    }
  }
  expect(scans).toEqual([])
})
