import { setTimeout as delay } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { connect } from '../connection.ts'
import { errorMessage } from '../error-message.ts'
import { isTransient } from '../errors.ts'
import { kyselyOf } from '../handles.ts'
import { newerMigrations } from '../migrate.ts'
import { quoteName, ServerError } from '../server-error.ts'
import type { Tables } from '../tables.ts'
import type { Capability, CapabilityFailure } from './capability.ts'
import { tryConstraints, tryIds } from './try-constraints.ts'
import { type LockingStatements, tryReservedRows, tryStatements } from './try-locks.ts'

/** A capability is missing when it failed in each trial. */
const TRIALS = 2
/**
 * After a transient failure, such as a wait for another server that starts, the check is repeated for this long. The database server
 * ends the session of a server that vanished earlier.
 */
const REPEAT_WITHIN_MS = 75_000
const PAUSE_MS_MAX = 100

const OTHER_SERVER =
  'Set DATABASE_URL to a MySQL or MariaDB server whose statements no proxy changes, and not to another engine.'
const REMEDIES: Record<Capability, string> = {
  transactions: OTHER_SERVER,
  lockingReads: OTHER_SERVER,
  skipLocked: OTHER_SERVER,
  readCommitted: OTHER_SERVER,
  checkConstraints:
    'Compare SHOW CREATE TABLE with that of a database that Pointwise has created, and add or enforce the constraint. ' +
    'On TiDB run before the migration: SET GLOBAL tidb_enable_check_constraint = ON;',
  uniqueKeys:
    'Compare SHOW CREATE TABLE with that of a database that Pointwise has created, and add the key. ' +
    'Do not distribute the tables over several shards.',
  foreignKeys: 'Compare SHOW CREATE TABLE with that of a database that Pointwise has created, and add the foreign key.',
  consecutiveIds:
    'Set auto_increment_increment to 1; on Galera, also wsrep_auto_increment_control to OFF. ' +
    'Do not assign ids by a proxy or a sequence.',
}

/**
 * Tries on the tables of the shop, with two connections, whether the server does what its statements promise: see `Capability`. It
 * commits nothing except changes of two rows of `outbox_cursors` that it creates. The rows of the shop are neither changed nor locked.
 *
 * The database must be migrated. The account needs SELECT, INSERT and UPDATE.
 *
 * @throws ServerError that lists what the server does not do, what is needed and what to set.
 * @throws the database's error when a statement of the trial fails.
 */
export async function checkCapabilities(url: string, statements: LockingStatements): Promise<void> {
  const failures = await tryCapabilities(url, statements)
  if (failures.length === 0) return
  throw new ServerError(failures.map(({ capability, found }) => `${found} ${REMEDIES[capability]}`))
}

/** Like `checkCapabilities`, but returns the capabilities that the server lacks. */
export async function tryCapabilities(url: string, statements: LockingStatements): Promise<CapabilityFailure[]> {
  const pool = connect(url, { connections: 2 })
  const startedAt = performance.now()
  try {
    for (let trials = 0; ; ) {
      try {
        const failures = await tryOnce(kyselyOf(pool), statements)
        trials++
        if (failures.length === 0 || trials === TRIALS) return failures
      } catch (error) {
        if (!(error instanceof Error && isTransient(error))) throw error
        if (performance.now() - startedAt > REPEAT_WITHIN_MS) throw untriedError(error)
      }
      await delay(Math.random() * PAUSE_MS_MAX)
    }
  } finally {
    await pool.destroy()
  }
}

async function tryOnce(db: Kysely<Tables>, statements: LockingStatements): Promise<CapabilityFailure[]> {
  const engines = await tryStorageEngines(db)
  if (engines.length > 0) return engines
  const ofReserved = await tryReservedRows(db)
  // The rows of the other parts are rolled back.
  if (ofReserved.some(({ capability }) => capability === 'transactions')) return ofReserved
  // A newer version may have changed constraints, and every server must be able to return to the previous version.
  const hasOwnSchema = (await newerMigrations(db)).length === 0
  const ofConstraints = [...(await tryIds(db)), ...(hasOwnSchema ? await tryConstraints(db) : [])]
  // The statements force the indexes of unique keys.
  const canTryStatements = ofReserved.length === 0 && ofConstraints.length === 0
  return [...ofReserved, ...ofConstraints, ...(canTryStatements ? await tryStatements(db, statements) : [])]
}

async function tryStorageEngines(db: Kysely<Tables>): Promise<CapabilityFailure[]> {
  const { rows } = await sql<{ name: string; engine: string }>`
    select table_name as name, engine as engine from information_schema.tables
    where table_schema = database() and table_type = 'BASE TABLE' and engine <> 'InnoDB' order by table_name`.execute(
    db,
  )
  return rows.map(({ name, engine }) => ({
    capability: 'transactions',
    found:
      `The table ${quoteName(name)} has the storage engine ${engine}. Expected InnoDB. ` +
      `Run: ALTER TABLE ${quoteName(name)} ENGINE = InnoDB;`,
  }))
}

function untriedError(error: Error): Error {
  return new ServerError([
    `Whether it locks rows could not be tried within ${REPEAT_WITHIN_MS / 1_000} seconds: ${errorMessage(error)}. ` +
      'Start again. If this repeats, end the session that holds the rows of `outbox_cursors` whose names begin with start-check ' +
      '(information_schema.innodb_trx lists it).',
  ])
}
