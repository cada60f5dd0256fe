import { connect, createDatabase, migrate } from '@pointwise/db'
import { createConnection } from 'mysql2/promise'
import { expect, onTestFinished, test } from 'vitest'
import { databaseUrl, run } from '../setup/database.ts'

test('a migration whose table another session has locked fails within seconds, and states what to do', async () => {
  const url = databaseUrl('locked_table')
  await createDatabase(url)
  await migrate(url)
  const db = connect(url)
  onTestFinished(async () => {
    await run(db, `drop database ${new URL(url).pathname.slice(1)}`)
    await db.destroy()
  })
  // This migration reads the table events.
  await run(db, "delete from kysely_migration where name >= '0014-outbox-cursors'")
  const other = await createConnection(url)
  onTestFinished(() => other.destroy())
  await other.query('lock tables events write')
  const error = await migrate(url).catch((error: unknown) => error)
  expect((error as Error).message).toMatch(
    /Migration 0014-outbox-cursors failed, .* A transaction of another session uses its table: end/,
  )
  expect((error as Error).cause).toMatchObject({ errno: 1205 })
})
