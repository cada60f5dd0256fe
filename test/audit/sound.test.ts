import type { Db } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepBooks, unguardedDatabase } from './books.ts'

let db: Db
beforeAll(async () => {
  db = await unguardedDatabase()
  await keepBooks(db)
})
afterAll(() => db.destroy())

test('what the procedures write keeps every promise', async () => {
  const { sound, checks } = await audit(db)
  console.log(
    checks.map((c) => [c.name, c.rows, c.broken]),
    checks.flatMap((c) => c.findings),
  )
  expect(sound).toBe(true)
})
