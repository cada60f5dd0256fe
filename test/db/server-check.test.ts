import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkServer, connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { findDatabase } from '@pointwise/db/development'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { findProblems } from '../../db/src/server-check.ts'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'
import { installedServers } from '../setup/development-database.ts'

const STRICT = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'
const VALID = {
  version: '9.7.0',
  globalMode: STRICT,
  sessionMode: STRICT,
  timeZone: '+00:00',
  collation: 'utf8mb4_unicode_520_ci',
  increment: 1,
}

const CHANGE_SERVER = "Change it in the server's configuration."
const AVOID_PROXY = 'Pointwise sets it on each connection. Connect without a proxy that changes session settings.'

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

test('an auto_increment_increment other than 1, as some clusters set it, is rejected', () => {
  expect(findProblems({ ...VALID, increment: 3 })).toEqual([
    `The server's auto_increment_increment is 3. Expected 1. ${CHANGE_SERVER}`,
  ])
})

describe('a setting', () => {
  for (const [scope, key, remedy] of [
    ['server', 'globalMode', CHANGE_SERVER],
    ['session', 'sessionMode', AVOID_PROXY],
  ] as const) {
    for (const mode of ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_UNSIGNED_SUBTRACTION', 'PIPES_AS_CONCAT']) {
      test(`${mode} in the ${scope}'s sql_mode is rejected`, () => {
        expect(findProblems({ ...VALID, [key]: `${mode},${STRICT}` })).toEqual([
          `The ${scope}'s sql_mode is '${mode},${STRICT}'. Expected it not to contain ${mode}. ${remedy}`,
        ])
      })
    }

    test(`a ${scope}'s sql_mode that is not strict is rejected`, () => {
      expect(findProblems({ ...VALID, [key]: '' })).toEqual([
        `The ${scope}'s sql_mode is ''. Expected it to contain STRICT_TRANS_TABLES. ${remedy}`,
      ])
    })

    test(`a ${scope}'s sql_mode that is strict for all tables is accepted`, () => {
      expect(findProblems({ ...VALID, [key]: 'STRICT_ALL_TABLES' })).toEqual([])
    })
  }

  test('a session that is not in UTC is rejected', () => {
    for (const timeZone of ['SYSTEM', '+09:00']) {
      expect(findProblems({ ...VALID, timeZone })).toEqual([
        `The session's time_zone is ${timeZone}. Expected +00:00. ${AVOID_PROXY}`,
      ])
    }
  })

  test('a database that is not utf8mb4 is rejected', () => {
    for (const collation of ['latin1_swedish_ci', 'utf8mb3_general_ci']) {
      expect(findProblems({ ...VALID, collation })).toEqual([
        `The database's collation is ${collation}. Expected a utf8mb4 collation. Create the database with character set utf8mb4.`,
      ])
    }
  })

  test('every problem is reported, not only the first', () => {
    const facts = {
      version: '5.7.1',
      globalMode: 'ANSI_QUOTES',
      sessionMode: '',
      timeZone: 'SYSTEM',
      collation: 'ascii_bin',
      increment: 2,
    }
    expect(findProblems(facts)).toHaveLength(7)
  })
})

test('the database server of this test run is accepted, and its version is returned', async () => {
  const { db } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  expect(await run(db, 'select @@version as version')).toEqual([{ version: await checkServer(db) }])
})

test('a latin1 database on a real server is rejected', async () => {
  const url = databaseUrl('latin1')
  await createDatabase(url)
  const db = connect(url)
  onTestFinished(async () => {
    await run(db, `drop database if exists ${new URL(url).pathname.slice(1)}`)
    await db.destroy()
  })
  await run(db, 'alter database character set latin1')
  await expect(checkServer(db)).rejects.toThrow(/^This database server cannot be used:\n- .* collation is latin1_/)
})

const usable = await installedServers()

describe.skipIf(usable.length === 0)('a private server whose global sql_mode is changed', { timeout: 60_000 }, () => {
  let directory: string
  let server: Awaited<ReturnType<typeof findDatabase>>
  let db: Pool

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pointwise-server-check-'))
    server = await findDatabase({
      provider: 'local',
      directory,
      keep: false,
      database: 'shop',
      print: () => undefined,
    })
    await createDatabase(server.url)
    await migrate(server.url)
    db = connect(server.url)
  })
  afterAll(async () => {
    await db?.destroy()
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  // In the order in which the server returns the modes.
  for (const [mode, expected] of [
    [`NO_BACKSLASH_ESCAPES,${STRICT}`, 'not to contain NO_BACKSLASH_ESCAPES'],
    [`ANSI_QUOTES,${STRICT}`, 'not to contain ANSI_QUOTES'],
    ['', 'to contain STRICT_TRANS_TABLES'],
  ] as const) {
    test(`to '${mode}' is rejected, with the mode in the message`, async () => {
      await run(db, `set global sql_mode = '${mode}'`)
      const problem = `The server's sql_mode is '${mode}'. Expected it ${expected}. ${CHANGE_SERVER}`
      await expect(checkServer(db)).rejects.toThrow(new Error(`This database server cannot be used:\n- ${problem}`))
    })
  }

  test('to an unsafe mode does not affect the sessions of the pool, so text is not parsed as SQL', async () => {
    await run(db, `set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`)
    const pool = connect(server.url)
    const text = String.raw`\' or 1 = 1 -- "`
    const found = await pool.selectFrom('users').select('id').where('name', '=', text).execute()
    const [row] = await run<{ mode: string }>(pool, 'select @@session.sql_mode as mode')
    await pool.destroy()
    expect(found).toEqual([])
    expect(row?.mode).not.toContain('NO_BACKSLASH_ESCAPES')
  })
})
