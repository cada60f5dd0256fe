import { connect, createDatabase, migrate, type Pool, pendingMigrations } from '@pointwise/db'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'

const url = () => databaseUrl('migrate')
const nameOf = (url: string) => decodeURIComponent(new URL(url).pathname.slice(1))

function open(address = url()): Pool {
  const db = connect(address)
  onTestFinished(() => db.destroy())
  return db
}

async function drop(address: string): Promise<void> {
  const { db } = await emptyDatabase()
  await run(db, `drop database if exists \`${nameOf(address).replaceAll('`', '``')}\``)
  await db.destroy()
}

beforeEach(() => drop(url()))

test('two concurrent calls create a missing database once, in utf8mb4', async () => {
  await Promise.all([createDatabase(url()), createDatabase(url())])
  expect(await run(open(), 'select @@collation_database as collation')).toEqual([
    { collation: 'utf8mb4_unicode_520_ci' },
  ])
})

test('an existing database is not changed', async () => {
  await createDatabase(url())
  const db = open()
  await run(db, 'alter database character set utf8mb4 collate utf8mb4_bin')
  await createDatabase(url())
  expect(await run(db, 'select @@collation_database as collation')).toEqual([{ collation: 'utf8mb4_bin' }])
})

test('a database name with special characters is quoted', async () => {
  const special = databaseUrl("o`dd-'name'")
  await createDatabase(special)
  onTestFinished(() => drop(special))
  expect(await run(open(special), 'select database() as name')).toEqual([{ name: nameOf(special) }])
})

test('all migrations are applied once, in order', async () => {
  await createDatabase(url())
  const applied = await migrate(url())
  expect(applied.length).toBeGreaterThanOrEqual(13)
  expect(applied).toEqual(applied.toSorted())
  expect(applied.map((name) => Number(name.slice(0, 4)))).toEqual(applied.map((_, index) => index + 1))
  expect(await migrate(url())).toEqual([])
})

test('every table uses InnoDB and the utf8mb4 collation', async () => {
  await createDatabase(url())
  await migrate(url())
  const tables = await run<{ name: string; engine: string; collation: string }>(
    open(),
    `select table_name as name, engine as engine, table_collation as collation from information_schema.tables
    where table_schema = database() and table_name not like 'kysely%'`,
  )
  expect(tables).toHaveLength(13)
  for (const { name, ...rest } of tables) {
    expect({ name, ...rest }).toEqual({ name, engine: 'InnoDB', collation: 'utf8mb4_unicode_520_ci' })
  }
})

test('two concurrent calls apply each migration exactly once', async () => {
  await createDatabase(url())
  const applied = (await Promise.all([migrate(url()), migrate(url())])).flat()
  const recorded = await run<{ name: string }>(open(), 'select name from kysely_migration order by name')
  expect(applied.toSorted()).toEqual(recorded.map(({ name }) => name))
  expect(new Set(applied).size).toBe(applied.length)
})

test('a database with a migration of a newer version is rejected, and the cause names the migration', async () => {
  await createDatabase(url())
  await migrate(url())
  await run(open(), "insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099')")
  const error = await migrate(url()).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(Error)
  expect((error as Error).message).toMatch(
    /^The database could not be migrated\. No migration was applied\. If a newer version of the server has migrated/,
  )
  expect(String((error as Error).cause)).toContain('9999-from-the-future')
})

test('a migration that was interrupted before it was recorded is repeated', async () => {
  await createDatabase(url())
  const all = await migrate(url())
  const db = open()
  for (const [index, name] of all.entries()) {
    await run(db, `delete from kysely_migration where name >= '${name}'`)
    expect(await pendingMigrations(db)).toEqual(all.slice(index))
    expect(await migrate(url())).toEqual(all.slice(index))
  }
})

test('a failed migration is named, the earlier ones stay applied, and the next call repeats it', async () => {
  await createDatabase(url())
  const db = open()
  await run(db, 'create table users (id int)')
  const error = await migrate(url()).catch((error: unknown) => error)
  expect((error as Error).message).toMatch(/^The database could not be migrated\. Migration 0002-points failed, /)
  expect((error as Error).cause).toMatchObject({ errno: expect.any(Number) })
  expect((await pendingMigrations(db))[0]).toBe('0002-points')

  await run(db, 'drop table users')
  await run(db, 'delete from kysely_migration')
  expect((await migrate(url())).length).toBeGreaterThanOrEqual(13)
})
