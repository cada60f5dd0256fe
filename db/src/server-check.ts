import { sql } from 'kysely'
import type { Reader } from './handles.ts'

/** SQL modes that change the meaning of the SQL this package sends. */
const FORBIDDEN_MODES = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_UNSIGNED_SUBTRACTION', 'PIPES_AS_CONCAT']

interface ServerFacts {
  version: string
  globalMode: string
  sessionMode: string
  timeZone: string
  collation: string
  increment: number
}

/**
 * Checks that the database server meets the requirements, and returns its version. The requirements are:
 * - MySQL 8.4 or later, or MariaDB 10.11 or later.
 * - Strict mode, and no SQL mode that changes how strings and operators are parsed, both globally and in the session.
 * - A session in UTC.
 * - A utf8mb4 database.
 * - Consecutive auto-increment ids, from which the ids of a batch's new orders are derived.
 *
 * @throws Error that lists every requirement that is not met, what was found, what is expected and what to do.
 */
export async function checkServer(db: Reader): Promise<string> {
  const facts = await db
    .selectNoFrom([
      sql<string>`@@version`.as('version'),
      sql<string>`@@global.sql_mode`.as('globalMode'),
      sql<string>`@@session.sql_mode`.as('sessionMode'),
      sql<string>`@@session.time_zone`.as('timeZone'),
      sql<string>`@@collation_database`.as('collation'),
      sql<number>`@@auto_increment_increment`.as('increment'),
    ])
    .executeTakeFirstOrThrow()
  const problems = findProblems(facts)
  if (problems.length > 0) {
    throw new Error(`This database server cannot be used:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
  }
  return facts.version
}

/** Returns one line for each requirement that is not met; none when the server can be used. */
export function findProblems({
  version,
  globalMode,
  sessionMode,
  timeZone,
  collation,
  increment,
}: ServerFacts): string[] {
  const problems = [...sqlModeProblems('server', globalMode), ...sqlModeProblems('session', sessionMode)]
  if (!isSupported(version)) {
    problems.unshift(
      `The version is ${version}. Expected MySQL 8.4 or later, or MariaDB 10.11 or later. Upgrade the server.`,
    )
  }
  if (timeZone !== '+00:00') {
    problems.push(`The session's time_zone is ${timeZone}. Expected +00:00. ${REMEDIES.session}`)
  }
  if (!collation.startsWith('utf8mb4_')) {
    problems.push(
      `The database's collation is ${collation}. Expected a utf8mb4 collation. Create the database with character set utf8mb4.`,
    )
  }
  if (increment !== 1) {
    problems.push(`The server's auto_increment_increment is ${increment}. Expected 1. ${REMEDIES.server}`)
  }
  return problems
}

const REMEDIES = {
  server: "Change it in the server's configuration.",
  session: 'Pointwise sets it on each connection. Connect without a proxy that changes session settings.',
}

function sqlModeProblems(scope: keyof typeof REMEDIES, sqlMode: string): string[] {
  const modes = sqlMode.split(',')
  const isStrict = modes.includes('STRICT_TRANS_TABLES') || modes.includes('STRICT_ALL_TABLES')
  const subject = `The ${scope}'s sql_mode is '${sqlMode}'.`
  return [
    ...(isStrict ? [] : [`${subject} Expected it to contain STRICT_TRANS_TABLES. ${REMEDIES[scope]}`]),
    ...FORBIDDEN_MODES.filter((mode) => modes.includes(mode)).map(
      (mode) => `${subject} Expected it not to contain ${mode}. ${REMEDIES[scope]}`,
    ),
  ]
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat)
  const [minMajor, minMinor] = version.includes('MariaDB') ? [10, 11] : [8, 4]
  return major > minMajor || (major === minMajor && minor >= minMinor)
}
