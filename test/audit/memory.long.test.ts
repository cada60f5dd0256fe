import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Pool, Tables } from '@pointwise/db'
import { type AuditResult, audit } from '@pointwise/server'
import { CompiledQuery, type Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseUrl } from '../setup/database.ts'
import { databaseWithOrders, PRODUCTS } from './bulk-data.ts'

const ORDERS = 100_000
const CHUNK = 10_000
/** Chunks of events are smaller, because an event stands for up to 50 order lines. */
const EVENT_CHUNK = CHUNK / 10

interface Statements {
  count: number
  /** The parameters of one of them. */
  values: readonly unknown[]
  msMax: number
}

let db: Pool
let result: AuditResult
/** The statements that were sent, by their SQL text without parameters. */
const sent = new Map<string, Statements>()
beforeAll(async () => {
  db = await databaseWithOrders('many', ORDERS, (sql, values, ms) => {
    const { count, msMax, ...earlier } = sent.get(sql) ?? { count: 0, msMax: 0, values }
    sent.set(sql, { count: count + 1, msMax: Math.max(msMax, ms), values: count === 10 ? values : earlier.values })
  })
  sent.clear()
  result = await audit(db)
}, 180_000)
afterAll(() => db.destroy())

test('An audit of 200,000 history rows finds nothing and reads every row', () => {
  const rowsOf = (name: string) => result.checks.find((check) => check.name === name)?.rows
  expect(result.checks.flatMap(({ findings }) => findings)).toEqual([])
  expect(rowsOf('chains')).toBe(2 * ORDERS)
  expect(rowsOf('told')).toBe(3 * ORDERS + PRODUCTS)
  expect(rowsOf('stock')).toBe(PRODUCTS)
})

test('The command audits them with a heap of less than 100 MB', { timeout: 180_000 }, async () => {
  const env = { ...process.env, DATABASE_URL: databaseUrl('many') }
  const args = ['--max-old-space-size=64', '--max-semi-space-size=8', 'server/scripts/audit.ts', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../..'), env })
  expect(JSON.parse(stdout)).toMatchObject({ sound: true })
})

test('Each kind of statement runs once a chunk, and every statement takes less than 5 seconds', () => {
  const statements = [...sent.values()]
  expect(Math.max(...statements.map(({ count }) => count))).toBeLessThanOrEqual(
    (3 * ORDERS + PRODUCTS) / EVENT_CHUNK + 1,
  )
  expect(Math.max(...statements.map(({ msMax }) => msMax))).toBeLessThan(5_000)
})

test('No statement scans a whole large table', async () => {
  const scans: string[] = []
  for (const [sql, { values }] of sent) {
    if (!sql.startsWith('select')) continue
    const explain = CompiledQuery.raw(`explain format=traditional ${sql}`, [...values])
    const { rows } = await (db as unknown as Kysely<Tables>).executeQuery(explain)
    for (const { table, type, rows: read } of rows as { table: string | null; type: string; rows: string | number }[]) {
      // For a statement with a limit, EXPLAIN shows the rows of the range, not the rows that are read.
      const isLarge = Number(read) > 5 * CHUNK && (type === 'ALL' || !/ limit /.test(sql))
      if (isLarge && !table?.startsWith('<')) scans.push(`${table} by ${type}, ${read} rows: ${sql}`)
    }
  }
  expect(scans).toEqual([])
})
