import { sql } from 'kysely'
import type { Reader } from './handles.ts'
import { quoteName } from './server-error.ts'
import { isVitess } from './server-version.ts'

/** A utf8mb4 collation that MySQL and MariaDB both support. It compares different emoji as different. */
export const COLLATION = 'utf8mb4_unicode_520_ci'

const SQL_MODE = [
  'ONLY_FULL_GROUP_BY',
  'STRICT_TRANS_TABLES',
  'NO_ZERO_IN_DATE',
  'NO_ZERO_DATE',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
].join(',')

const UNLIMITED = '18446744073709551615'

/**
 * Session variables that change what a statement does or returns, with the values that the SQL of this package and its
 * callers depends on. A server's configuration, or its `init_connect`, may set others. In the order in which they are
 * set: `max_join_size` resets `sql_big_selects`.
 */
const VARIABLES = {
  autocommit: '1',
  completion_type: "'NO_CHAIN'",
  sql_mode: `'${SQL_MODE}'`,
  time_zone: "'+00:00'",
  auto_increment_increment: '1',
  auto_increment_offset: '1',
  foreign_key_checks: '1',
  unique_checks: '1',
  default_storage_engine: "'InnoDB'",
  sql_safe_updates: '0',
  sql_auto_is_null: '0',
  sql_select_limit: UNLIMITED,
  max_join_size: UNLIMITED,
  sql_big_selects: '1',
  group_concat_max_len: '1048576',
  max_sort_length: '1024',
  div_precision_increment: '4',
}

/** Variables that only one of the engines has. The other engine ignores the comment. */
const VARIABLES_OF_MARIADB = { check_constraint_checks: 1 }

/** Vitess rejects a SET of these. By itself it limits no result and changes no time, and ids are checked at start. */
const FIXED_BY_VITESS = new Set(['auto_increment_increment', 'auto_increment_offset', 'sql_select_limit', 'timestamp'])
/** Vitess reports another value. Its collation of literals has no effect, because they are compared only with columns. */
const NOT_SET_ON_VITESS = new Set(['sql_select_limit', 'collation_connection'])

/** The statement that returns the `version` of the server, for `sessionStatements`. A new connection reports it as well. */
export const SELECT_VERSION = 'select @@version as version'

/** Limits that the server applies to a session. */
export interface SessionLimits {
  /** Maximum wait for a row lock, and for a metadata lock, in seconds. After it, the statement fails with errno 1205. */
  lockWaitSeconds: number
  /** Maximum duration of a statement, in milliseconds, for which its caller waits. */
  statementTimeoutMs: number
  /** After this time without a statement, in seconds, the server closes the session and rolls back its transaction. */
  idleTimeoutSeconds: number
}

/** A statement ends by itself this long after its caller has given it up, in case it cannot be ended by KILL. */
const STATEMENT_GRACE_MS = 1_000

/**
 * Returns the statements that give a new session all settings that the SQL of this package and its callers depends on.
 * READ COMMITTED: see docs/decisions/0002-read-committed.md.
 *
 * @param version the version that the server reports
 */
export function sessionStatements(version: string, database: string | undefined, limits: SessionLimits): string[] {
  const { lockWaitSeconds, statementTimeoutMs, idleTimeoutSeconds } = limits
  const statementLimitMs = statementTimeoutMs + STATEMENT_GRACE_MS
  const common = {
    ...VARIABLES,
    timestamp: 'default',
    innodb_lock_wait_timeout: lockWaitSeconds,
    lock_wait_timeout: lockWaitSeconds,
    wait_timeout: idleTimeoutSeconds,
  }
  // MySQL applies its limit only to SELECT.
  const mysql = { max_execution_time: statementLimitMs }
  const mariadb = { ...VARIABLES_OF_MARIADB, max_statement_time: statementLimitMs / 1_000 }
  return [
    // The server runs `init_connect` first, except Vitess. It may have opened a transaction, or selected another database.
    ...(isVitess(version) ? [] : ['commit and no chain no release']),
    ...(database ? [`use ${quoteName(database)}`] : []),
    `set names utf8mb4 collate ${COLLATION}`,
    'set session transaction isolation level read committed, read write',
    `set session ${assign(isVitess(version) ? withoutFixed(common) : common)} /*!80000 , ${assign(mysql)} */ /*M! , ${assign(mariadb)} */`,
  ]
}

const assign = (variables: Record<string, string | number>) =>
  Object.entries(variables)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')

const withoutFixed = <T>(variables: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !FIXED_BY_VITESS.has(name)))

/** What to do when a session does not have the settings that Pointwise gives it. */
export const SESSION_REMEDY =
  'Pointwise sets it on each connection. Connect without a proxy that changes session settings.'

/** `checkServer` covers these with messages of their own. */
const CHECKED_ELSEWHERE = new Set(['sql_mode', 'time_zone', 'auto_increment_increment'])

/** Settings of a session as the server returns them. */
const EXPECTED: Record<string, string> = {
  ...Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([name, value]) =>
      CHECKED_ELSEWHERE.has(name) ? [] : [[name, value.replaceAll("'", '')]],
    ),
  ),
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  collation_connection: COLLATION,
}

/** Returns one line for each setting of a session of the pool that was not applied; none when all were. */
export async function sessionProblems(db: Reader): Promise<string[]> {
  const session = await db
    .selectNoFrom([
      sql<unknown>`@@version`.as('version'),
      ...Object.keys(EXPECTED).map((name) => sql<unknown>`@@session.${sql.raw(name)}`.as(name)),
    ])
    .executeTakeFirstOrThrow()
  return Object.entries(EXPECTED)
    .filter(([name]) => !(isVitess(String(session.version)) && NOT_SET_ON_VITESS.has(name)))
    .filter(([name, expected]) => String(session[name]) !== expected)
    .map(([name, expected]) => `The session's ${name} is ${session[name]}. Expected ${expected}. ${SESSION_REMEDY}`)
}
