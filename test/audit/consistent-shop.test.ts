import type { Pool } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyTables } from '../setup/database.ts'
import { databaseWithoutConstraints, seedShop } from './seeded-shop.ts'

let db: Pool
beforeEach(async () => {
  db = await databaseWithoutConstraints()
  await seedShop(db)
})
afterEach(() => db.destroy())

/** The rows of every table that has a reference or a range. */
const ROWS_WITH_RULES = 2 + 6 + 3 + 3 + 5 + 5 + 6 + 3 + 1 + 3

test('Rows written by the procedures pass every check, and the audit reads all of them', async () => {
  const { sound, asOf, checks } = await audit(db)
  expect(sound).toBe(true)
  expect(Math.abs(asOf.getTime() - Date.now())).toBeLessThan(60_000)
  expect(Object.fromEntries(checks.map(({ name, rows, broken }) => [name, [rows, broken]]))).toEqual({
    balances: [2, 0],
    chains: [6, 0],
    total: [2, 0],
    totals: [5, 0],
    payments: [5, 0],
    uses: [5, 0],
    refunds: [5, 0],
    returns: [5, 0],
    stock: [3, 0],
    sales: [3, 0],
    hours: [3, 0],
    told: [18, 0],
    events: [19, 0],
    sequence: [19, 0],
    states: [5, 0],
    offers: [6, 0],
    times: [27, 0],
    references: [ROWS_WITH_RULES, 0],
    companions: [5, 0],
    ranges: [ROWS_WITH_RULES, 0],
  })
  expect(checks.flatMap(({ findings }) => findings)).toEqual([])
})

test('An empty database passes every check', async () => {
  await emptyTables(db)
  const { sound, checks } = await audit(db)
  expect(sound).toBe(true)
  expect(checks.map(({ rows }) => rows)).toEqual(checks.map(() => 0))
})
