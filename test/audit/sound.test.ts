import type { Pool } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyTables } from '../setup/database.ts'
import { keepBooks, unguardedDatabase } from './sound-shop.ts'

let db: Pool
beforeEach(async () => {
  db = await unguardedDatabase()
  await keepBooks(db)
})
afterEach(() => db.destroy())

const REFERENCING = 2 + 6 + 3 + 3 + 5 + 5 + 6 + 3 + 1 + 3

test('what the procedures write keeps every promise, and every row of it is looked at', async () => {
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
    told: [12, 0],
    events: [19, 0],
    references: [REFERENCING, 0],
    companions: [5, 0],
    ranges: [REFERENCING, 0],
  })
  expect(checks.flatMap(({ findings }) => findings)).toEqual([])
})

test('a shop in which nothing happened is sound', async () => {
  await emptyTables(db)
  const { sound, checks } = await audit(db)
  expect(sound).toBe(true)
  expect(checks.map(({ rows }) => rows)).toEqual(checks.map(() => 0))
})
