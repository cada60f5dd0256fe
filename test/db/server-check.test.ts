import { describe, expect, test } from 'vitest'
import { findProblems, findWarnings, type ServerFacts } from '../../db/src/server-check.ts'

const STRICT = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'
const SESSION = {
  sql_mode: STRICT,
  time_zone: '+00:00',
  collation_database: 'utf8mb4_unicode_520_ci',
  auto_increment_increment: '1',
  transaction_isolation: 'READ-COMMITTED',
  binlog_format: 'ROW',
  max_allowed_packet: '4194304',
}
const GLOBAL = { sql_mode: STRICT, log_bin: 'ON', read_only: 'OFF', super_read_only: 'OFF', innodb_read_only: 'OFF' }
const VALID: ServerFacts = { version: '9.7.0', session: SESSION, global: GLOBAL }

const inSession = (session: Record<string, string>) => ({ ...VALID, session: { ...SESSION, ...session } })
const inServer = (global: Record<string, string>) => ({ ...VALID, global: { ...GLOBAL, ...global } })

const AVOID_PROXY = 'Pointwise sets it on each connection. Connect without a proxy that changes session settings.'
const FORBIDDEN = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_UNSIGNED_SUBTRACTION', 'PIPES_AS_CONCAT']

describe('a server version', () => {
  for (const version of [
    '8.4.0',
    '8.4.12-log',
    '9.0.1',
    '9.7.4-2',
    '10.0.0',
    '10.11.19-MariaDB-0+deb12u1',
    '10.12.0-MariaDB',
    '11.4.2-MariaDB',
    '12.0.1-MariaDB',
  ]) {
    test(`${version} is accepted`, () => expect(findProblems({ ...VALID, version })).toEqual([]))
  }
  for (const version of ['5.7.44', '8.0.40', '8.3.9', '10.6.21-MariaDB', '10.4.3-MariaDB-log', '9.9.9-MariaDB']) {
    test(`${version} is rejected`, () => {
      expect(findProblems({ ...VALID, version })).toEqual([
        `The version is ${version}. Expected MySQL 8.4 or later, or MariaDB 10.11 or later. Upgrade the server.`,
      ])
    })
  }
})

test('a version of TiDB is rejected with what it does not do and what to set', () => {
  const version = '8.0.11-TiDB-v8.5.0'
  expect(findProblems({ ...VALID, version })).toEqual([
    `The version is ${version}. Expected MySQL 8.4 or later, or MariaDB 10.11 or later. TiDB is not supported: with SKIP LOCKED it ` +
      'returns rows that another session has locked. Set DATABASE_URL to a MySQL or MariaDB server.',
  ])
})

describe('a setting of the session is rejected:', () => {
  for (const [name, value, expected] of [
    ['time_zone', 'SYSTEM', '+00:00'],
    ['time_zone', '+09:00', '+00:00'],
    ['auto_increment_increment', '3', '1'],
    ['transaction_isolation', 'REPEATABLE-READ', 'READ-COMMITTED'],
  ] as const) {
    test(`${name} ${value}`, () => {
      expect(findProblems(inSession({ [name]: value }))).toEqual([
        `The session's ${name} is ${value}. Expected ${expected}. ${AVOID_PROXY}`,
      ])
    })
  }

  test('a sql_mode that is not strict', () => {
    expect(findProblems(inSession({ sql_mode: '' }))).toEqual([
      `The session's sql_mode is ''. Expected it to contain STRICT_TRANS_TABLES. ${AVOID_PROXY}`,
    ])
  })

  for (const mode of FORBIDDEN) {
    test(`a sql_mode with ${mode}`, () => {
      expect(findProblems(inSession({ sql_mode: `${mode},${STRICT}` }))).toEqual([
        `The session's sql_mode is '${mode},${STRICT}'. Expected it not to contain ${mode}. ${AVOID_PROXY}`,
      ])
    })
  }

  test('a database that is not utf8mb4', () => {
    for (const collation of ['latin1_swedish_ci', 'utf8mb3_general_ci']) {
      expect(findProblems(inSession({ collation_database: collation }))).toEqual([
        `The database's collation is ${collation}. Expected a utf8mb4 collation. Run in this database: ALTER DATABASE CHARACTER SET utf8mb4;`,
      ])
    }
  })

  test('a max_allowed_packet below 4 MiB', () => {
    expect(findProblems(inSession({ max_allowed_packet: '4194303' }))).toEqual([
      "The server's max_allowed_packet is 4194303 bytes. Expected at least 4194304, more than the largest batch of payments. Run: SET PERSIST max_allowed_packet = 4194304;",
    ])
  })

  test('binlog_format STATEMENT, if the server has a binary log', () => {
    expect(findProblems(inSession({ binlog_format: 'STATEMENT' }))).toEqual([
      "The server's binlog_format is STATEMENT, with which InnoDB rejects every write at READ COMMITTED. Expected ROW or MIXED. Run: SET PERSIST binlog_format = 'ROW';",
    ])
    expect(findProblems(inSession({ binlog_format: 'MIXED' }))).toEqual([])
    const withoutLog = { ...inSession({ binlog_format: 'STATEMENT' }), global: { ...GLOBAL, log_bin: 'OFF' } }
    expect(findProblems(withoutLog)).toEqual([])
  })
})

test('a session is accepted with a sql_mode that is strict for all tables, and with the names of MariaDB', () => {
  expect(findProblems(inSession({ sql_mode: 'STRICT_ALL_TABLES' }))).toEqual([])
  const { transaction_isolation: isolation, ...session } = SESSION
  expect(findProblems({ ...VALID, session: { ...session, tx_isolation: isolation } })).toEqual([])
})

test('a read-only server is rejected, also when the account could write', () => {
  const expected =
    'Expected a server that accepts writes. If it is a replica, name the primary in DATABASE_URL, or promote it first.'
  expect(findProblems(inServer({ read_only: 'ON' }))).toEqual([
    `The server is read-only: read_only is ON. ${expected} Otherwise run: SET PERSIST read_only = OFF;`,
  ])
  expect(findProblems(inServer({ read_only: 'ON', super_read_only: 'ON' }))).toEqual([
    `The server is read-only: read_only is ON, super_read_only is ON. ${expected} Otherwise run: SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF;`,
  ])
  expect(findProblems(inServer({ innodb_read_only: 'ON' }))).toEqual([
    `The server is read-only: innodb_read_only is ON. ${expected} innodb_read_only is changed at a start of the server.`,
  ])
  // MariaDB 12 has more values than ON and OFF.
  expect(findProblems({ ...inServer({ read_only: 'NO_LOCK' }), version: '12.0.1-MariaDB' })).toEqual([
    `The server is read-only: read_only is NO_LOCK. ${expected} Otherwise run: SET GLOBAL read_only = OFF; (and set it in the option file)`,
  ])
})

describe('a global sql_mode', () => {
  test('that fits has no warning', () => expect(findWarnings(VALID)).toEqual([]))

  for (const [sqlMode, expected] of [
    ['', 'to contain STRICT_TRANS_TABLES'],
    ...FORBIDDEN.map((mode) => [`${mode},${STRICT}`, `not to contain ${mode}`] as const),
  ] as const) {
    test(`'${sqlMode}' is accepted with a warning`, () => {
      expect(findProblems(inServer({ sql_mode: sqlMode }))).toEqual([])
      expect(findWarnings(inServer({ sql_mode: sqlMode }))).toEqual([
        `The server's global sql_mode is '${sqlMode}'. Expected it ${expected}. Pointwise is not affected, because its sessions set their own sql_mode. For other programs, run: SET PERSIST sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';`,
      ])
    })
  }
})

test('every problem is reported, not only the first', () => {
  expect(findProblems({ version: '5.7.1', session: {}, global: { read_only: 'ON' } })).toHaveLength(8)
})
