import { sql } from 'kysely'
import { kyselyOf, type Pool } from './handles.ts'
import { mend, READ_ONLY_VARIABLES, ServerError } from './server-error.ts'
import { isVitess, versionProblems } from './server-version.ts'
import { SESSION_REMEDY, sessionProblems } from './session.ts'

/** SQL modes that change the meaning of the SQL this package sends. */
const FORBIDDEN_MODES = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_UNSIGNED_SUBTRACTION', 'PIPES_AS_CONCAT']

/**
 * The size of the largest message that the server must accept: a batch of payments with the most orders, lines and
 * characters that it can have takes about a quarter of it. The defaults of MySQL and MariaDB are larger.
 */
export const PACKET_BYTES_MIN = 4 * 1_024 * 1_024

type Variables = Readonly<Record<string, string>>

export interface ServerFacts {
  version: string
  /** Variables by name; those that an engine does not have are missing. */
  global: Variables
  session: Variables
}

export interface CheckedServer {
  version: string
  /** Settings that do not affect Pointwise, and do affect other programs that write to the database. */
  warnings: string[]
}

/**
 * Checks that the database server has the settings that Pointwise needs. `checkAccess` checks what its account may do.
 *
 * @throws Error that lists every setting that does not fit: what was found, what is needed and the statement that mends
 * it.
 */
export async function checkServer(db: Pool): Promise<CheckedServer> {
  const session = await readVariables(db, 'session')
  const facts = { version: session.version ?? '', global: await readVariables(db, 'global'), session }
  const problems = [...findProblems(facts), ...(await sessionProblems(db)), ...(await shardProblems(db, facts))]
  if (problems.length > 0) throw new ServerError(problems)
  return { version: facts.version, warnings: findWarnings(facts) }
}

/**
 * Checks that a replica has the settings that reads need. It may be read-only.
 *
 * @throws Error that lists every setting that does not fit, as `checkServer` does
 */
export async function checkReplicaServer(db: Pool): Promise<void> {
  const session = await readVariables(db, 'session')
  const facts = { version: session.version ?? '', global: {}, session }
  const problems = [...findProblems(facts), ...(await sessionProblems(db))]
  if (problems.length > 0) throw new ServerError(problems)
}

// Not `select @@name`: that fails for a variable that the server does not have.
async function readVariables(db: Pool, scope: 'session' | 'global'): Promise<Variables> {
  const names = [
    'version',
    'sql_mode',
    'time_zone',
    'collation_database',
    'auto_increment_increment',
    'transaction_isolation',
    'tx_isolation',
    'log_bin',
    'binlog_format',
    'max_allowed_packet',
    ...READ_ONLY_VARIABLES,
  ]
  const statement = sql<{ Variable_name: string; Value: string }>`
    show ${sql.raw(scope)} variables where variable_name in (${sql.join(names)})`
  const { rows } = await statement.execute(kyselyOf(db))
  return Object.fromEntries(rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]))
}

/** Returns one line for each setting that does not fit; none when the server can be used. */
export function findProblems(facts: ServerFacts): string[] {
  const { version, session } = facts
  return [
    ...versionProblems(version),
    ...readOnlyProblems(facts),
    ...binaryLogProblems(facts),
    ...packetProblems(facts),
    ...sqlModeProblems(session.sql_mode).map((problem) => `The session's ${problem} ${SESSION_REMEDY}`),
    ...sessionProblem('time_zone', session.time_zone, '+00:00'),
    ...sessionProblem('auto_increment_increment', session.auto_increment_increment, '1'),
    ...sessionProblem('transaction_isolation', session.transaction_isolation ?? session.tx_isolation, 'READ-COMMITTED'),
    ...collationProblems(session.collation_database),
  ]
}

/** Returns one line for each setting that does not affect the sessions of Pointwise. */
export function findWarnings({ version, global }: ServerFacts): string[] {
  return sqlModeProblems(global.sql_mode).map(
    (problem) =>
      `The server's global ${problem} Pointwise is not affected, because its sessions set their own sql_mode. ` +
      `For other programs, run: ${mend(version, 'sql_mode', "'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'")}`,
  )
}

function sessionProblem(name: string, found: string | undefined, expected: string): string[] {
  return found === expected ? [] : [`The session's ${name} is ${found}. Expected ${expected}. ${SESSION_REMEDY}`]
}

function sqlModeProblems(sqlMode = ''): string[] {
  const modes = sqlMode.split(',')
  const isStrict = modes.includes('STRICT_TRANS_TABLES') || modes.includes('STRICT_ALL_TABLES')
  const subject = `sql_mode is '${sqlMode}'.`
  return [
    ...(isStrict ? [] : [`${subject} Expected it to contain STRICT_TRANS_TABLES.`]),
    ...FORBIDDEN_MODES.filter((mode) => modes.includes(mode)).map(
      (mode) => `${subject} Expected it not to contain ${mode}.`,
    ),
  ]
}

/** An account with enough privileges writes to a read-only server, and its replication then stops. */
function readOnlyProblems({ version, global }: ServerFacts): string[] {
  const found = READ_ONLY_VARIABLES.filter((name) => ![undefined, 'OFF', '0'].includes(global[name]))
  if (found.length === 0) return []
  const dynamic = found.filter((name) => name !== 'innodb_read_only')
  const statements = dynamic.toReversed().map((name) => mend(version, name, 'OFF'))
  return [
    `The server is read-only: ${found.map((name) => `${name} is ${global[name]}`).join(', ')}. ` +
      'Expected a server that accepts writes. If it is a replica, name the primary in DATABASE_URL, or promote it first. ' +
      (found.includes('innodb_read_only') ? 'innodb_read_only is changed at a start of the server. ' : '') +
      (statements.length > 0 ? `Otherwise run: ${statements.join(' ')}` : ''),
  ].map((line) => line.trimEnd())
}

function binaryLogProblems({ version, global, session }: ServerFacts): string[] {
  if (global.log_bin !== 'ON' || session.binlog_format !== 'STATEMENT') return []
  return [
    "The server's binlog_format is STATEMENT, with which InnoDB rejects every write at READ COMMITTED. " +
      `Expected ROW or MIXED. Run: ${mend(version, 'binlog_format', "'ROW'")}`,
  ]
}

function packetProblems({ version, session }: ServerFacts): string[] {
  if (Number(session.max_allowed_packet) >= PACKET_BYTES_MIN) return []
  return [
    `The server's max_allowed_packet is ${session.max_allowed_packet} bytes. ` +
      `Expected at least ${PACKET_BYTES_MIN}, more than the largest batch of payments. ` +
      `Run: ${mend(version, 'max_allowed_packet', String(PACKET_BYTES_MIN))}`,
  ]
}

/** Each shard of Vitess assigns ids, and enforces unique and foreign keys, by itself. */
async function shardProblems(db: Pool, { version }: ServerFacts): Promise<string[]> {
  if (!isVitess(version)) return []
  const [keyspace] = (await sql<{ name: string }>`select database() as name`.execute(kyselyOf(db))).rows
  const { rows } = await sql<{ Shards: string }>`show vitess_shards`.execute(kyselyOf(db))
  const shards = rows.map(({ Shards }) => Shards).filter((shard) => shard.startsWith(`${keyspace?.name}/`))
  if (shards.length <= 1) return []
  return [
    `The keyspace has ${shards.length} shards: ${shards.join(', ')}. Expected an unsharded keyspace, because ids, unique keys and ` +
      'snapshots of several shards are independent of each other. Set DATABASE_URL to a keyspace with one shard.',
  ]
}

function collationProblems(collation = ''): string[] {
  if (collation.startsWith('utf8mb4_')) return []
  return [
    `The database's collation is ${collation}. Expected a utf8mb4 collation. ` +
      'Run in this database: ALTER DATABASE CHARACTER SET utf8mb4;',
  ]
}
