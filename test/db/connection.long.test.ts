import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect, type Pool, transact } from '@pointwise/db'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'

let db: Pool
let url: string
beforeEach(async () => {
  ;({ db, url } = await emptyDatabase())
})
afterEach(() => db.destroy())

describe('times are stored in UTC and read back unchanged', () => {
  // In New York's local time, two of these do not exist and one exists twice.
  const times = [
    '2026-03-08T02:30:00.123Z',
    '2026-03-08T07:00:00.000Z',
    '2026-11-01T05:30:00.999Z',
    '1999-12-31T23:59:59.999Z',
  ]

  for (const [zone, offsetMinutes] of [
    ['Asia/Seoul', -540],
    ['America/New_York', 300],
    ['UTC', 0],
  ] as const) {
    test(`in a process that runs in ${zone}`, async () => {
      const child = fileURLToPath(new URL('time-zone-child.ts', import.meta.url))
      const { stdout } = await promisify(execFile)(process.execPath, [child, url, ...times], {
        env: { ...process.env, TZ: zone },
      })
      const output = JSON.parse(stdout)
      expect(output.offsetMinutes).toBe(offsetMinutes)
      expect(output.rows).toEqual(
        times.map((time) => ({ given: time, read: time, stored: time.replace('T', ' ').replace('Z', '') })),
      )
      expect(output.found).toEqual(times)
      expect(output.clockIsOffByMs).toBeLessThan(10_000)
    })
  }
})

test('an integer is read with all its digits, also beyond 2^53', async () => {
  const numbers = [
    '9007199254740991',
    '-9007199254740991',
    '9007199254740993',
    '-9007199254740993',
    '9223372036854775807',
  ]
  for (const digits of numbers) {
    const [row] = await run<{ number: unknown }>(db, `select cast(${digits} as signed) as number`)
    const exact = Number.isSafeInteger(Number(digits)) ? Number(digits) : digits
    expect(row?.number).toBe(exact)
  }
})

describe('text is stored and read back byte for byte', () => {
  for (const [what, text] of [
    ['emoji of several code points', '👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['four-byte characters', '𝄞 𠜎 🛒'],
    ['Hangul, composed and decomposed', '한글 한글'],
    ['right to left', 'שלום ‏مرحبا‏'],
    ['quotes', `it's "quoted" and \`quoted\``],
    ['backslashes', String.raw`\ \\ \' \" \0 C:\new`],
    ['an SQL injection', `'; drop table users; -- \\'; #`],
    ['control characters', '\0\u0001\b\t\n\r\u001a\u007f'],
    ['placeholders and wildcards', '? ?? :name % _ $1 @@version'],
    ['leading and trailing spaces', '  Ada  '],
  ] as const) {
    test(what, async () => {
      await transact(db, (tx) => tx.insertInto('users').values({ name: text }).execute())
      const found = await db.selectFrom('users').select('name').where('name', '=', text).execute()
      expect(found).toEqual([{ name: text }])
      const [row] = await run<{ bytes: string }>(db, 'select hex(name) as bytes from users')
      expect(row?.bytes).toBe(Buffer.from(text).toString('hex').toUpperCase())
    })
  }
})

test('names that differ only in an emoji are different', async () => {
  const names = ['🍎', '🍏']
  await transact(db, (tx) =>
    tx
      .insertInto('users')
      .values(names.map((name) => ({ name })))
      .execute(),
  )
  expect(await db.selectFrom('users').select('name').where('name', '=', '🍏').execute()).toEqual([{ name: '🍏' }])
})

test('every connection of a pool has the required session settings', async () => {
  const CONNECTIONS = 5
  const pool = connect(url, { connections: CONNECTIONS, lockWaitSeconds: 7 })
  const allOpen = Promise.withResolvers<void>()
  let open = 0
  const sessions = await Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      transact(pool, async (tx) => {
        if (++open === CONNECTIONS) allOpen.resolve()
        await allOpen.promise
        const [session] = await run<Record<string, unknown>>(
          tx,
          `select connection_id() as id, @@session.time_zone as zone, @@session.innodb_lock_wait_timeout as lockWait,
          @@session.sql_mode as mode, @@character_set_client as charset, @@collation_connection as collation`,
        )
        return session
      }),
    ),
  )
  await pool.destroy()
  expect(new Set(sessions.map((session) => session?.id)).size).toBe(CONNECTIONS)
  for (const session of sessions) {
    expect(session).toMatchObject({
      zone: '+00:00',
      lockWait: 7,
      charset: 'utf8mb4',
      collation: 'utf8mb4_unicode_520_ci',
    })
    expect(String(session?.mode).split(',').toSorted()).toEqual([
      'ERROR_FOR_DIVISION_BY_ZERO',
      'NO_ENGINE_SUBSTITUTION',
      'NO_ZERO_DATE',
      'NO_ZERO_IN_DATE',
      'ONLY_FULL_GROUP_BY',
      'STRICT_TRANS_TABLES',
    ])
  }
})

test('a connection that replaces a killed one has the session settings', async () => {
  const pool = connect(url, { connections: 1, lockWaitSeconds: 7 })
  const [first] = await run<{ id: number }>(pool, 'select connection_id() as id')
  await run(db, `kill ${first?.id}`)
  const lockWait = () => run(pool, 'select @@session.innodb_lock_wait_timeout as lockWait')
  await eventually(() => lockWait().catch(() => undefined)).toEqual([{ lockWait: 7 }])
  await pool.destroy()
})

test('a value outside the range of its column is rejected, not truncated', async () => {
  const insert = (name: string) => transact(db, (tx) => tx.insertInto('users').values({ name }).execute())
  await expect(insert('x'.repeat(151))).rejects.toMatchObject({ errno: 1406 })
  const { insertId } = await transact(db, (tx) =>
    tx.insertInto('users').values({ name: 'Ada' }).executeTakeFirstOrThrow(),
  )
  const wallet = (point: number) =>
    transact(db, (tx) =>
      tx
        .insertInto('points')
        .values({ user_id: Number(insertId), point })
        .execute(),
    )
  // The errno of a violated CHECK constraint, on MySQL and on MariaDB.
  await expect(wallet(-1)).rejects.toSatisfy(({ errno }) => [3819, 4025].includes(errno))
  await expect(wallet(1_000_001)).rejects.toSatisfy(({ errno }) => [3819, 4025].includes(errno))
  await expect(wallet(2_147_483_648)).rejects.toMatchObject({ errno: 1264 })
})
