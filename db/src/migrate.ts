import { Kysely, MysqlDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { createConnection, createPool } from 'mysql2'
import { COLLATION, driverOptions } from './connection.ts'
import type { Reader } from './handles.ts'
import { migrations } from './migrations/all.ts'

const NOT_STARTED =
  'No migration was applied. If a newer version of the server has migrated this database, start that version ' +
  'or a later one. Otherwise correct the cause and start the server again.'

/**
 * Creates the database named in `url` as utf8mb4, unless it exists. An existing database is not changed.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 * @throws the driver's error when the server cannot be reached or its user may not create the database.
 */
export async function createDatabase(url: string): Promise<void> {
  const { database: name, ...options } = driverOptions(url)
  const connection = createConnection(options).promise()
  try {
    const [found] = await connection.query('select 1 from information_schema.schemata where schema_name = ?', [name])
    if (Array.isArray(found) && found.length > 0) return
    await connection.query(`create database if not exists ?? character set utf8mb4 collate ${COLLATION}`, [name])
  } finally {
    connection.destroy()
  }
}

/**
 * Applies the pending migrations in order and returns their names. Servers that start at the same time wait for each
 * other, under the migrator's lock.
 *
 * @throws Error when a migration fails, or when the database contains a migration that this version does not know. Its
 * message names the failed migration; its `cause` is the failure. Migrations applied before it stay applied.
 */
export async function migrate(url: string): Promise<string[]> {
  // Not `connect`: DDL and the wait for the migrator's lock may take longer than the pool's statement timeout.
  const pool = createPool({ ...driverOptions(url), connectionLimit: 1 })
  const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) })
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error) {
      const failed = results.find((result) => result.status === 'Error')
      throw new Error(`The database could not be migrated. ${failed ? stoppedAt(failed.migrationName) : NOT_STARTED}`, {
        cause: error,
      })
    }
    return results.map((result) => result.migrationName)
  } finally {
    await db.destroy()
  }
}

function stoppedAt(migration: string): string {
  return (
    `Migration ${migration} failed, and the migrations before it stay applied. ` +
    'Correct the cause and start the server again, which repeats this migration.'
  )
}

/**
 * Returns the names of the migrations that are not applied to this database.
 *
 * @throws the database's error (1146) when the database was never migrated.
 */
export async function pendingMigrations(db: Reader): Promise<string[]> {
  const applied = await db.selectFrom('kysely_migration').select('name').execute()
  const names = new Set(applied.map((migration) => migration.name))
  return Object.keys(migrations).filter((name) => !names.has(name))
}
