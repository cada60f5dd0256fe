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

test('a database that is missing is created, in utf8mb4, also when two ask at once', async () => {
  await Promise.all([createDatabase(url()), createDatabase(url())])
  expect(await run(open(), 'select @@collation_database as collation')).toEqual([
    { collation: 'utf8mb4_unicode_520_ci' },
  ])
})

test('a database that exists is left as it is', async () => {
  await createDatabase(url())
  const db = open()
  await run(db, 'alter database character set utf8mb4 collate utf8mb4_bin')
  await createDatabase(url())
  expect(await run(db, 'select @@collation_database as collation')).toEqual([{ collation: 'utf8mb4_bin' }])
})

test('a name that needs quoting is quoted', async () => {
  const odd = databaseUrl("o`dd-'name'")
  await createDatabase(odd)
  onTestFinished(() => drop(odd))
  expect(await run(open(odd), 'select database() as name')).toEqual([{ name: nameOf(odd) }])
})

test('all migrations are applied in order, once', async () => {
  await createDatabase(url())
  const applied = await migrate(url())
  expect(applied.length).toBeGreaterThanOrEqual(13)
  expect(applied).toEqual(applied.toSorted())
  expect(applied.map((name) => Number(name.slice(0, 4)))).toEqual(applied.map((_, index) => index + 1))
  expect(await migrate(url())).toEqual([])
})

test('every table is InnoDB with our collation', async () => {
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

test('two that migrate at once apply every migration once between them', async () => {
  await createDatabase(url())
  const [one, other] = await Promise.all([migrate(url()), migrate(url())])
  const together = [...(one ?? []), ...(other ?? [])]
  const recorded = await run<{ name: string }>(open(), 'select name from kysely_migration order by name')
  expect(together.toSorted()).toEqual(recorded.map(({ name }) => name))
  expect(new Set(together).size).toBe(together.length)
})

test('a database that knows a newer migration is refused, and says which', async () => {
  await createDatabase(url())
  await migrate(url())
  await run(open(), "insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099')")
  const error = await migrate(url()).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(Error)
  expect((error as Error).message).toMatch(/^The database could not be migrated/)
  expect(String((error as Error).cause)).toContain('9999-from-the-future')
})

test('a migration that was cut off after its statement, before it was recorded, is repeated', async () => {
  await createDatabase(url())
  const all = await migrate(url())
  const db = open()
  for (const [index, name] of all.entries()) {
    await run(db, `delete from kysely_migration where name >= '${name}'`)
    expect(await pendingMigrations(db)).toEqual(all.slice(index))
    expect(await migrate(url())).toEqual(all.slice(index))
  }
})

test('a migration that fails is named, those before it stay, and it is repeated once the cause is gone', async () => {
  await createDatabase(url())
  const db = open()
  await run(db, 'create table users (id int)')
  const error = await migrate(url()).catch((error: unknown) => error)
  expect((error as Error).message).toBe('The database could not be migrated (0002-points).')
  expect((error as Error).cause).toMatchObject({ errno: expect.any(Number) })
  expect((await pendingMigrations(db))[0]).toBe('0002-points')

  await run(db, 'drop table users')
  await run(db, 'delete from kysely_migration')
  expect((await migrate(url())).length).toBeGreaterThanOrEqual(13)
})
