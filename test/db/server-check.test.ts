import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkServer, connect, createDatabase, migrate, type Pool } from '@pointwise/db'
import { findDatabase } from '@pointwise/db/development'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { thisHost } from '../../db/development/host-environment.ts'
import { findServerBinaries } from '../../db/development/server-binaries.ts'
import { findings } from '../../db/src/server-check.ts'
import { databaseUrl, emptyDatabase, run } from '../setup/database.ts'

const STRICT = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'
const SOUND = {
  version: '9.7.0',
  globalMode: STRICT,
  sessionMode: STRICT,
  timeZone: '+00:00',
  collation: 'utf8mb4_unicode_520_ci',
  increment: 1,
}

describe('a version', () => {
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
    test(`${version} is supported`, () => expect(findings({ ...SOUND, version })).toEqual([]))
  }
  for (const version of ['5.7.44', '8.0.40', '8.3.9', '10.6.21-MariaDB', '10.4.3-MariaDB-log', '9.9.9-MariaDB']) {
    test(`${version} is refused by its number`, () => {
      const expected = 'MySQL 8.4 or later or MariaDB 10.11 or later is expected'
      expect(findings({ ...SOUND, version })).toEqual([`its version is ${version}, ${expected}`])
    })
  }
})

test('ids that leave gaps, as those of some clusters do, are refused', () => {
  expect(findings({ ...SOUND, increment: 3 })).toEqual(['its auto_increment_increment is 3, 1 is expected'])
})

describe('a setting', () => {
  for (const [place, key] of [
    ['global', 'globalMode'],
    ['session', 'sessionMode'],
  ] as const) {
    for (const mode of ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_UNSIGNED_SUBTRACTION', 'PIPES_AS_CONCAT']) {
      test(`${mode} in the ${place} sql_mode is refused by its name`, () => {
        const facts = { ...SOUND, [key]: `${mode},${STRICT}` }
        expect(findings(facts)).toEqual([`its ${place} sql_mode contains ${mode}`])
      })
    }

    test(`a ${place} sql_mode that is not strict is refused`, () => {
      expect(findings({ ...SOUND, [key]: '' })).toEqual([`its ${place} sql_mode lacks STRICT_TRANS_TABLES`])
    })

    test(`a ${place} sql_mode that is strict in every table is accepted`, () => {
      expect(findings({ ...SOUND, [key]: 'STRICT_ALL_TABLES' })).toEqual([])
    })
  }

  test('a session that is not in UTC is refused', () => {
    for (const timeZone of ['SYSTEM', '+09:00']) {
      expect(findings({ ...SOUND, timeZone })).toEqual([`the session's time_zone is ${timeZone}, +00:00 is expected`])
    }
  })

  test('a database that is not utf8mb4 is refused', () => {
    for (const collation of ['latin1_swedish_ci', 'utf8mb3_general_ci']) {
      const finding = `the database's collation is ${collation}, one of utf8mb4 is expected`
      expect(findings({ ...SOUND, collation })).toEqual([finding])
    }
  })

  test('every wrong fact is named, not the first alone', () => {
    const facts = {
      version: '5.7.1',
      globalMode: 'ANSI_QUOTES',
      sessionMode: '',
      timeZone: 'SYSTEM',
      collation: 'ascii_bin',
      increment: 2,
    }
    expect(findings(facts)).toHaveLength(7)
  })
})

test('the server of this run is accepted, and its version returned', async () => {
  const { db } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  expect(await run(db, 'select @@version as version')).toEqual([{ version: await checkServer(db) }])
})

test('a database in latin1 is refused by a real server', async () => {
  const url = databaseUrl('latin1')
  await createDatabase(url)
  const db = connect(url)
  onTestFinished(async () => {
    await run(db, `drop database if exists ${new URL(url).pathname.slice(1)}`)
    await db.destroy()
  })
  await run(db, 'alter database character set latin1')
  await expect(checkServer(db)).rejects.toThrow(/^This database server cannot be used: .* collation is latin1_/)
})

const { usable } = await findServerBinaries(thisHost().programFolders)

describe.skipIf(usable.length === 0)(
  'a server of its own, whose global sql_mode is changed',
  { timeout: 60_000 },
  () => {
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

    for (const [mode, finding] of [
      [`${STRICT},NO_BACKSLASH_ESCAPES`, 'its global sql_mode contains NO_BACKSLASH_ESCAPES'],
      [`${STRICT},ANSI_QUOTES`, 'its global sql_mode contains ANSI_QUOTES'],
      ['', 'its global sql_mode lacks STRICT_TRANS_TABLES'],
    ] as const) {
      test(`to '${mode}' is refused by name`, async () => {
        await run(db, `set global sql_mode = '${mode}'`)
        await expect(checkServer(db)).rejects.toThrow(new Error(`This database server cannot be used: ${finding}.`))
      })
    }

    test('is read by our sessions as if it were not, so that no text becomes SQL', async () => {
      await run(db, `set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`)
      const late = connect(server.url)
      const text = String.raw`\' or 1 = 1 -- "`
      const found = await late.selectFrom('users').select('id').where('name', '=', text).execute()
      const [row] = await run<{ mode: string }>(late, 'select @@session.sql_mode as mode')
      await late.destroy()
      expect(found).toEqual([])
      expect(row?.mode).not.toContain('NO_BACKSLASH_ESCAPES')
    })
  },
)
