import { Kysely, MysqlDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { createConnection, createPool } from 'mysql2'
import { COLLATION, driverOptions } from './connection.ts'
import type { Reader } from './handles.ts'
import { migrations } from './migrations/all.ts'

/** Creates the database that `url` names where it is missing and may be created; an existing one is left as it is. */
export async function createDatabase(url: string): Promise<void> {
  const server = new URL(url)
  const name = decodeURIComponent(server.pathname.slice(1))
  server.pathname = '/'
  const connection = createConnection(driverOptions(server.href)).promise()
  try {
    const [found] = await connection.query('select 1 from information_schema.schemata where schema_name = ?', [name])
    if (Array.isArray(found) && found.length > 0) return
    await connection.query(`create database if not exists ?? character set utf8mb4 collate ${COLLATION}`, [name])
  } finally {
    connection.destroy()
  }
}

/**
 * Applies the migrations that are missing, in order, and returns their names. Servers that start at once wait for each
 * other under the migrator's lock. A database that knows a migration which we do not is refused.
 */
export async function migrate(url: string): Promise<string[]> {
  // A connection of its own: DDL and the wait for the lock take longer than a request's statements may.
  const pool = createPool({ ...driverOptions(url), connectionLimit: 1 })
  const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) })
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error) {
      const failed = results.find((result) => result.status === 'Error')
      throw new Error(`The database could not be migrated${failed ? ` (${failed.migrationName})` : ''}.`, {
        cause: error,
      })
    }
    return results.map((result) => result.migrationName)
  } finally {
    await db.destroy()
  }
}

/** The names of the migrations that this database has not seen, of a database that was migrated at least once. */
export async function pendingMigrations(db: Reader): Promise<string[]> {
  const applied = await db.selectFrom('kysely_migration').select('name').execute()
  const names = new Set(applied.map((migration) => migration.name))
  return Object.keys(migrations).filter((name) => !names.has(name))
}
