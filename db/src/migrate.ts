import { CompiledQuery, Kysely, MysqlAdapter, MysqlDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { createConnection, createPool, type RowDataPacket } from 'mysql2'
import type { Connection } from 'mysql2/promise'
import { primaryOptions } from './connection.ts'
import { errorMessage } from './error-message.ts'
import { errorCode, isAccessDenied, isLockWait, isTransient } from './errors.ts'
import { fillNameKeys } from './fill-name-keys.ts'
import type { Reader } from './handles.ts'
import { type MigrationLockOptions, withMigrationLock } from './migration-lock.ts'
import { migrations } from './migrations/all.ts'
import { PRIVILEGES, quoteAccount, quoteName, ServerError } from './server-error.ts'
import { settingProblem, versionProblems } from './server-version.ts'
import { COLLATION, SELECT_VERSION, type SessionLimits, sessionStatements } from './session.ts'
import type { Tables } from './tables.ts'

const ACCESS_DENIED = 1044

const SESSION_LIMITS: SessionLimits = {
  // How long a migration waits for a table that a transaction of another session uses. Statements on that table wait
  // behind the migration, so it gives up soon.
  lockWaitSeconds: 10,
  // DDL may take hours.
  statementTimeoutMs: 86_400_000,
  // The session of a server that vanished does not keep the migration lock for longer.
  idleTimeoutSeconds: 60,
}

const NO_SUCH_TABLE = 1146
const LOCK_WAIT_HINT =
  'A transaction of another session uses its table: end that transaction (information_schema.innodb_trx lists it). '

type MigrationTables = Pick<Tables, 'kysely_migration'>

/**
 * Creates the database named in `url` as utf8mb4, unless it exists. An existing database is not changed.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 * @throws ServerError when its account may not create the database; the driver's error when the server cannot be reached.
 */
export async function createDatabase(url: string): Promise<void> {
  const { database: name, ...options } = await primaryOptions(url, SESSION_LIMITS)
  const connection = createConnection(options).promise()
  try {
    await startSession(connection)
    const [found] = await connection.query('select 1 from information_schema.schemata where schema_name = ?', [name])
    if (Array.isArray(found) && found.length > 0) return
    await connection.query(`create database if not exists ?? character set utf8mb4 collate ${COLLATION}`, [name])
  } catch (error) {
    throw errorCode(error) === ACCESS_DENIED ? await explainCreation(connection, name) : error
  } finally {
    connection.destroy()
  }
}

async function startSession(connection: Connection): Promise<void> {
  const [[server]] = await connection.query<RowDataPacket[]>(SELECT_VERSION)
  const version = String(server?.version)
  for (const statement of sessionStatements(version, undefined, SESSION_LIMITS)) {
    await connection.query(statement).catch((error: unknown) => {
      if (isTransient(error) || isAccessDenied(error)) throw error
      throw new ServerError([...versionProblems(version), settingProblem(statement, errorMessage(error as Error))])
    })
  }
}

async function explainCreation(connection: Connection, name: string): Promise<ServerError> {
  const [rows] = await connection.query<RowDataPacket[]>('select current_user() as account')
  const account = quoteAccount(String(rows[0]?.account))
  const database = quoteName(name)
  const problem =
    `The account ${account} may not create the database ${database}, or may not use it. Expected the database and the ` +
    `privileges ${PRIVILEGES}. Run as an administrator: CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4 ` +
    `COLLATE ${COLLATION}; GRANT ${PRIVILEGES} ON ${database}.* TO ${account};`
  return new ServerError([problem])
}

/** `migrate` holds a lock of its own, because Kysely's has the same name for every application on a database server. */
class UnlockedAdapter extends MysqlAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class MigrationDialect extends MysqlDialect {
  override createAdapter(): MysqlAdapter {
    return new UnlockedAdapter()
  }
}

/**
 * Applies the pending migrations in order and returns their names. Servers that start at the same time on one database wait
 * for each other. When nothing is pending, it does not wait.
 *
 * It also writes the name keys that servers of the previous version have left out.
 *
 * A database that has all migrations of this version and those of a newer one is left unchanged; `onWarning` reports it.
 *
 * @throws Error when a migration fails, when another session holds the lock for `lockWaitSeconds`, or when the database
 * contains migrations that this version does not know and lacks some that it does. Its message states which and what to do;
 * its `cause` is the failure. Migrations applied before it stay applied.
 */
export async function migrate(url: string, options: MigrationLockOptions = {}): Promise<string[]> {
  // Not `connect`: DDL and the wait for the lock may take longer than the pool's statement timeout.
  const driver = await primaryOptions(url, SESSION_LIMITS)
  const dialect = new MigrationDialect({
    pool: createPool({ ...driver, connectionLimit: 1 }),
    onCreateConnection: async (connection) => {
      const { rows } = await connection.executeQuery<{ version: string }>(CompiledQuery.raw(SELECT_VERSION))
      for (const statement of sessionStatements(rows[0]?.version ?? '', driver.database, SESSION_LIMITS)) {
        await connection.executeQuery(CompiledQuery.raw(statement))
      }
    },
  })
  const db = new Kysely<MigrationTables>({ dialect })
  try {
    return await db.connection().execute(async (connection) => {
      const applied = await applyPending(connection, options)
      // Servers of the previous version may have written rows without a key since the migration.
      await fillNameKeys(connection).catch((error: unknown) => {
        throw new MigrationError('The missing name keys of users and stores could not be written.', error)
      })
      return applied
    })
  } catch (error) {
    throw error instanceof MigrationError ? error : new MigrationError('No migration was applied.', error)
  } finally {
    await db.destroy()
  }
}

async function applyPending(connection: Kysely<MigrationTables>, options: MigrationLockOptions): Promise<string[]> {
  if ((await findPending(connection, options)).length === 0) return []
  return await withMigrationLock(connection, options, async () => {
    // Another server may have applied them while this one waited.
    const pending = await findPending(connection, options)
    return pending.length === 0 ? [] : await applyMigrations(connection)
  })
}

class MigrationError extends Error {
  override readonly name = 'MigrationError'
  constructor(reason: string, cause?: unknown) {
    super(`The database could not be migrated. ${reason}`, { cause })
  }
}

async function applyMigrations(db: Kysely<MigrationTables>): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error) {
    const failed = results.find((result) => result.status === 'Error')
    throw new MigrationError(failed ? stoppedAt(failed.migrationName, error) : 'No migration was applied.', error)
  }
  return results.map((result) => result.migrationName)
}

function stoppedAt(migration: string, error: unknown): string {
  return (
    `Migration ${migration} failed, and the migrations before it stay applied. ` +
    (isLockWait(error) ? LOCK_WAIT_HINT : '') +
    'Correct the cause and start the server again, which repeats this migration.'
  )
}

/**
 * Returns the migrations to apply. Reports migrations of a newer version when there is nothing to apply.
 *
 * @throws MigrationError when the database is that of another branch or application.
 */
async function findPending(db: Kysely<MigrationTables>, { onWarning }: MigrationLockOptions): Promise<string[]> {
  const applied = await appliedMigrations(db).catch((error: unknown) => {
    if (errorCode(error) === NO_SUCH_TABLE) return []
    throw error
  })
  const { pending, newer, foreign } = compareMigrations(applied)
  const unknown = [...foreign, ...newer]
  if (foreign.length > 0 || (newer.length > 0 && pending.length > 0)) {
    throw new MigrationError(
      `No migration was applied. The database has migrations that this version does not know (${unknown.join(', ')})` +
        (pending.length > 0 ? `, and lacks migrations of this version (${pending.join(', ')})` : '') +
        '. Expected a database of this version, of an earlier one, or of a later one that contains every migration of this ' +
        'version. Start the version that has migrated the database, or set DATABASE_URL to another database.',
    )
  }
  if (newer.length > 0) onWarning?.('the database has the migrations of a newer version', { migrations: newer })
  return pending
}

interface Comparison {
  /** Migrations of this version that are not applied. */
  pending: string[]
  /** Applied migrations that follow the last one of this version. */
  newer: string[]
  /** Other applied migrations that this version does not know. */
  foreign: string[]
}

function compareMigrations(applied: string[]): Comparison {
  const own = Object.keys(migrations).toSorted()
  const last = own.at(-1) ?? ''
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name)).toSorted()
  const isNewer = (name: string) => /^\d{4}-/.test(name) && name > last
  return {
    pending: own.filter((name) => !applied.includes(name)),
    newer: unknown.filter(isNewer),
    foreign: unknown.filter((name) => !isNewer(name)),
  }
}

/** @throws the database's error (1146) when the database was never migrated. */
async function appliedMigrations(db: Reader | Kysely<MigrationTables>): Promise<string[]> {
  const rows = await (db as Kysely<MigrationTables>).selectFrom('kysely_migration').select('name').execute()
  return rows.map(({ name }) => name)
}

/**
 * Returns the names of the migrations of this version that are not applied to this database.
 *
 * @throws the database's error (1146) when the database was never migrated.
 */
export async function pendingMigrations(db: Reader): Promise<string[]> {
  return compareMigrations(await appliedMigrations(db)).pending
}

/**
 * Returns the names of the applied migrations that follow the last one of this version. A newer version has added them.
 *
 * @throws the database's error (1146) when the database was never migrated.
 */
export async function newerMigrations(db: Reader): Promise<string[]> {
  return compareMigrations(await appliedMigrations(db)).newer
}
