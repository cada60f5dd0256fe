import { sql } from 'kysely'
import type { Reader } from './handles.ts'

/** Modes under which the SQL we send would mean something else. */
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
 * Asserts what our SQL and our promises rest on, and returns the server's version: MySQL 8.4 or later, or MariaDB
 * 10.11 or later; strict mode, and none of the modes that change how strings are read, in the server's own setting and
 * in our sessions; UTC sessions; a utf8mb4 database; ids that follow each other, as those of a batch's new orders do.
 *
 * @throws Error that names every fact which is wrong, and what was expected.
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
  const wrong = findings(facts)
  if (wrong.length > 0) throw new Error(`This database server cannot be used: ${wrong.join('; ')}.`)
  return facts.version
}

/** What is wrong with a server, one clause each; empty when nothing is. */
export function findings(facts: ServerFacts): string[] {
  const wrong: string[] = []
  if (!isSupported(facts.version)) {
    wrong.push(`its version is ${facts.version}, MySQL 8.4 or later or MariaDB 10.11 or later is expected`)
  }
  for (const [place, value] of [
    ['global', facts.globalMode],
    ['session', facts.sessionMode],
  ] as const) {
    const modes = value.split(',')
    if (!modes.includes('STRICT_TRANS_TABLES') && !modes.includes('STRICT_ALL_TABLES')) {
      wrong.push(`its ${place} sql_mode lacks STRICT_TRANS_TABLES`)
    }
    for (const mode of FORBIDDEN_MODES) {
      if (modes.includes(mode)) wrong.push(`its ${place} sql_mode contains ${mode}`)
    }
  }
  if (facts.timeZone !== '+00:00') wrong.push(`the session's time_zone is ${facts.timeZone}, +00:00 is expected`)
  if (!facts.collation.startsWith('utf8mb4_')) {
    wrong.push(`the database's collation is ${facts.collation}, one of utf8mb4 is expected`)
  }
  if (facts.increment !== 1) wrong.push(`its auto_increment_increment is ${facts.increment}, 1 is expected`)
  return wrong
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat)
  const [needMajor, needMinor] = version.includes('MariaDB') ? [10, 11] : [8, 4]
  return major > needMajor || (major === needMajor && minor >= needMinor)
}
