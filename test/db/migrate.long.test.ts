import { connect, createDatabase, migrate, newerMigrations, type Pool, pendingMigrations } from '@pointwise/db'
import { createConnection } from 'mysql2/promise'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { migrationLockName } from '../../db/src/migration-lock.ts'
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
  expect(tables).toHaveLength(14)
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

const insertMigration = (name: string) =>
  run(open(), `insert into kysely_migration (name, timestamp) values ('${name}', '2099-01-01T00:00:00.000Z')`)

const failure = async (promise: Promise<unknown>): Promise<Error> => {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(Error)
  return error as Error
}

test('a database with all migrations and those of a newer version is left unchanged, and reported', async () => {
  await createDatabase(url())
  await migrate(url())
  await insertMigration('9998-from-the-future')
  await insertMigration('9999-from-the-future')
  const warnings: unknown[] = []
  expect(await migrate(url(), { onWarning: (...warning) => warnings.push(warning) })).toEqual([])
  expect(warnings).toEqual([
    [
      'the database has the migrations of a newer version',
      { migrations: ['9998-from-the-future', '9999-from-the-future'] },
    ],
  ])
  expect(await pendingMigrations(open())).toEqual([])
  expect(await newerMigrations(open())).toEqual(['9998-from-the-future', '9999-from-the-future'])
})

test('a database that lacks a migration and has one of a newer version is rejected and left unchanged', async () => {
  await createDatabase(url())
  const all = await migrate(url())
  await insertMigration('9999-from-the-future')
  await run(open(), `delete from kysely_migration where name = '${all.at(-1)}'`)
  const { message } = await failure(migrate(url()))
  expect(message).toMatch(
    /^The database could not be migrated\. No migration was applied\. The database has migrations/,
  )
  expect(message).toContain('(9999-from-the-future)')
  expect(message).toContain(`(${all.at(-1)})`)
  expect(await pendingMigrations(open())).toEqual(all.slice(-1))
})

for (const name of ['0003-other-branch', '2020_create_tables']) {
  test(`a database with the unknown migration ${name} is rejected`, async () => {
    await createDatabase(url())
    await migrate(url())
    await insertMigration(name)
    expect((await failure(migrate(url()))).message).toContain(`does not know (${name}). Expected a database of`)
  })
}

/** Holds a named lock in a session of its own until the test has finished. */
async function holdLock(name: string): Promise<{ id: number; release: () => void }> {
  const connection = await createConnection(url())
  onTestFinished(() => connection.destroy())
  await connection.query('select get_lock(?, 0)', [name])
  return { id: connection.threadId, release: () => connection.destroy() }
}

const KYSELY_LOCK = 'ea586330-2c93-47c8-908d-981d9d270f9d'

test('neither another Kysely application nor the migration of another database delays a migration', async () => {
  await createDatabase(url())
  for (const name of [KYSELY_LOCK, migrationLockName('another')]) await holdLock(name)
  const onWarning = (message: string) => expect.unreachable(message)
  expect((await migrate(url(), { onWarning })).length).toBeGreaterThanOrEqual(13)
})

test('the name of the migration lock fits, differs between databases, and is the same for both cases of a name', () => {
  const long = '数'.repeat(64)
  expect(migrationLockName(long).length).toBeLessThanOrEqual(64)
  expect(migrationLockName(long)).not.toBe(migrationLockName(`${long.slice(1)}b`))
  expect(migrationLockName('Shop')).toBe(migrationLockName('shop'))
})

test('a migration that waits for another session reports which one, and proceeds when it ends', async () => {
  await createDatabase(url())
  const holder = await holdLock(migrationLockName(nameOf(url())))
  const reported = Promise.withResolvers<object>()
  const migrating = migrate(url(), { onWarning: (_message, details) => reported.resolve(details) })
  expect(await reported.promise).toMatchObject({
    database: nameOf(url()),
    holder: { id: holder.id, user: 'root', host: expect.any(String), command: 'Sleep', seconds: expect.any(Number) },
    failsAfterSeconds: 300,
  })
  holder.release()
  expect((await migrating).length).toBeGreaterThanOrEqual(13)
})

test('a migration that waits too long for another session fails, names it, and states how to end it', async () => {
  await createDatabase(url())
  const { id } = await holdLock(migrationLockName(nameOf(url())))
  const error = await failure(migrate(url(), { lockWaitSeconds: 1 }))
  expect(error.message).toBe('The database could not be migrated. No migration was applied.')
  expect(String(error.cause)).toMatch(
    new RegExp(`migration lock of database ${nameOf(url())} for 1 s: session ${id} \\(root@.*KILL ${id}, then start`),
  )
})

test('a database with nothing to apply waits for no session', async () => {
  await createDatabase(url())
  await migrate(url())
  await holdLock(migrationLockName(nameOf(url())))
  expect(await migrate(url(), { lockWaitSeconds: 0 })).toEqual([])
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
