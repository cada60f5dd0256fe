import {
  checkAccess,
  checkCapabilities,
  checkServer,
  connect,
  createDatabase,
  explainDenied,
  migrate,
  type Pool,
} from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { LOCKING_STATEMENTS } from '../../server/src/payments/settlement/lock-rows.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { installedServers, type PrivateServer, startServer } from '../setup/development-database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'

const STRICT = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'
const UNSAFE = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,NO_UNSIGNED_SUBTRACTION,PIPES_AS_CONCAT'

test('the database server of this test run is accepted, and its version is returned', async () => {
  const { db } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  const { version } = await checkServer(db)
  expect(await run(db, 'select @@version as version')).toEqual([{ version }])
  await checkAccess(db)
})

test('a server that rejects a setting of the session is rejected with the statement, its error and what to set', async () => {
  const { url } = await emptyDatabase()
  await using proxy = await faultProxy(url)
  proxy.rewrite(/^set session .*/, 'set session time_zone = 0')
  await expect(createDatabase(proxy.url)).rejects.toThrow(
    /^This database server cannot be used:\n- The server rejects `set session transaction isolation level read committed, read write`: Incorrect argument type.* Expected a server that accepts what MySQL and MariaDB accept\. Set DATABASE_URL to a MySQL or MariaDB server\.$/,
  )
})

test('a keyspace of Vitess with several shards is rejected with its shards and what to set', async () => {
  const { url } = await emptyDatabase()
  await using proxy = await faultProxy(url)
  proxy.rewrite(/^\s*show session variables[\s\S]*/, "select 'version' as Variable_name, '8.4.6-Vitess' as Value")
  const shards = (...names: string[]) => {
    const rows = names.map((name) => `select concat(database(), '/${name}') as Shards`)
    proxy.rewrite(/^show vitess_shards$/, [...rows, "select 'another/80-'"].join(' union all '))
  }
  const db = connect(proxy.url)
  onTestFinished(() => db.destroy())
  shards('-80', '80-')
  await expect(checkServer(db)).rejects.toThrow(
    /\n- The keyspace has 2 shards: \w+\/-80, \w+\/80-\. Expected an unsharded keyspace, .* Set DATABASE_URL to a keyspace with one shard\./,
  )
  proxy.clear()
  proxy.rewrite(/^\s*show session variables[\s\S]*/, "select 'version' as Variable_name, '8.4.6-Vitess' as Value")
  shards('0')
  await expect(checkServer(db)).rejects.not.toThrow(/shards/)
})

/** The statements in an error message, one for each problem. */
function mendingStatements({ message }: Error): string[] {
  return [...message.matchAll(/[Rr]un(?: \w+)*: ([^(\n]*;)/g)].flatMap(([, text = '']) => text.split(/(?<=;) /))
}

const failureOf = (action: Promise<unknown>): Promise<Error> =>
  action.then(
    () => new Error('nothing was rejected'),
    (error) => error,
  )

for (const binary of await installedServers()) {
  describe(`a ${binary.kind} server`, { timeout: 60_000 }, () => {
    let server: PrivateServer
    let admin: Pool

    beforeAll(async () => {
      server = await startServer(binary, ['--log-bin=binlog', '--server-id=1'])
      await createDatabase(server.url)
      await migrate(server.url)
      admin = connect(server.url)
    }, 60_000)
    afterAll(async () => {
      await admin?.destroy()
      await server?.[Symbol.asyncDispose]()
    })

    /** Checks new sessions of an account, by default of root. */
    async function check(url = server.url, access = {}): Promise<string[]> {
      const db = connect(url)
      try {
        const { warnings } = await checkServer(db)
        await checkAccess(db, access)
        await checkCapabilities(url, LOCKING_STATEMENTS)
        return warnings
      } finally {
        await db.destroy()
      }
    }

    /** The URL of an account with these privileges. */
    async function account(name: string, privileges: string, database = 'shop'): Promise<string> {
      await run(admin, `create user '${name}'@'%' identified by 'secret'`)
      if (privileges) await run(admin, `grant ${privileges} on ${database}.* to '${name}'@'%'`)
      const url = new URL(server.url)
      Object.assign(url, { username: name, password: 'secret', pathname: `/${database}` })
      return url.href
    }

    async function mend(error: Error): Promise<void> {
      const statements = mendingStatements(error)
      expect(statements).not.toEqual([])
      for (const statement of statements) await run(admin, statement)
    }

    test('is accepted without a warning', async () => expect(await check()).toEqual([]))

    for (const [setting, expected] of [
      ["binlog_format = 'STATEMENT'", /binlog_format is STATEMENT, /],
      ['read_only = 1', /The server is read-only: read_only is ON\./],
      ...(binary.kind === 'mysql' ? [['super_read_only = 1', /super_read_only is ON\./] as const] : []),
      ['max_allowed_packet = 1048576', /max_allowed_packet is 1048576 bytes\. Expected at least 4194304, /],
    ] as const) {
      test(`with ${setting} is rejected, and accepted after the statement in the message`, async () => {
        await run(admin, `set global ${setting}`)
        const error = await failureOf(check())
        await mend(error)
        expect(error.message).toMatch(expected)
        expect(await check()).toEqual([])
      })
    }

    test('with a latin1 database is rejected, and accepted after the statement in the message', async () => {
      await run(admin, 'alter database character set latin1')
      const error = await failureOf(check())
      await mend(error)
      expect(error.message).toMatch(/^This database server cannot be used:\n- .* collation is latin1_/)
      expect(await check()).toEqual([])
    })

    test('with any global sql_mode creates, migrates and serves a database, with a warning', async () => {
      for (const [index, mode] of ['', UNSAFE].entries()) {
        await run(admin, `set global sql_mode = '${mode}'`)
        const url = new URL(server.url)
        url.pathname = `/o\`dd-"'name'${index}`
        await createDatabase(url.href)
        expect(await migrate(url.href)).not.toEqual([])
        expect(await check(url.href)).not.toEqual([])
      }
    })

    test('with an unsafe global sql_mode does not affect the sessions of the pool, so text is not parsed as SQL', async () => {
      await run(admin, `set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`)
      const pool = connect(server.url)
      const text = String.raw`\' or 1 = 1 -- "`
      const found = await pool.selectFrom('users').select('id').where('name', '=', text).execute()
      const [row] = await run<{ mode: string }>(pool, 'select @@session.sql_mode as mode')
      await pool.destroy()
      await run(admin, `set global sql_mode = '${STRICT}'`)
      expect(found).toEqual([])
      expect(row?.mode).not.toContain('NO_BACKSLASH_ESCAPES')
    })

    for (const [privileges, missing] of [
      ['select', 'INSERT on users, .*; UPDATE on users, points, '],
      ['select, insert', 'UPDATE on users, points, '],
      ['select, update', 'INSERT on users, points, point_histories, '],
      ['insert, update', 'SELECT on users, points, '],
    ] as const) {
      test(`rejects an account with ${privileges} only, and accepts it after the statement in the message`, async () => {
        const url = await account(`a-${privileges.replace(', ', '-')}`, privileges)
        const error = await failureOf(check(url))
        expect(error.message).toMatch(new RegExp(`The account '\\S+'@'%' lacks (?:UPDATE on .*; )?${missing}`))
        await mend(error)
        expect(await check(url)).toEqual([])
      })
    }

    test('rejects an account that cannot delete events only if the process deletes them, and it needs DELETE on no other table', async () => {
      const url = await account('a-deleting', 'select, insert, update')
      const error = await failureOf(check(url, { deletesEvents: true }))
      expect(error.message).toMatch(/The account 'a-deleting'@'%' lacks DELETE on events\. /)
      expect(mendingStatements(error)).toEqual(["GRANT DELETE ON `shop`.events TO 'a-deleting'@'%';"])
      expect(await check(url)).toEqual([])
      await mend(error)
      expect(await check(url, { deletesEvents: true })).toEqual([])
      const neither = await failureOf(check(await account('a-reading', 'select'), { deletesEvents: true }))
      await mend(neither)
      const both = new URL(url)
      both.username = 'a-reading'
      expect(await check(both.href, { deletesEvents: true })).toEqual([])
    })

    test('accepts an account whose privileges come from a role', async () => {
      const url = await account('by-role', '')
      await run(admin, 'create role shopkeeper')
      await run(admin, 'grant select, insert, update on shop.* to shopkeeper')
      await run(admin, "grant shopkeeper to 'by-role'@'%'")
      await run(
        admin,
        binary.kind === 'mysql'
          ? "alter user 'by-role'@'%' default role shopkeeper"
          : "set default role shopkeeper for 'by-role'@'%'",
      )
      expect(await check(url)).toEqual([])
    })

    test('reports an account that may not create the database, and the statements in the message let it', async () => {
      const url = await account('newcomer', '', 'missing')
      const error = await failureOf(createDatabase(url))
      expect(error.message).toMatch(
        /The account 'newcomer'@'%' may not create the database `missing`, or may not use it/,
      )
      await mend(error)
      await createDatabase(url)
      expect(await migrate(url)).not.toEqual([])
      expect(await check(url)).toEqual([])
    })

    // MariaDB creates foreign keys without the privilege REFERENCES.
    for (const missing of binary.kind === 'mysql' ? ['create', 'references'] : ['create']) {
      test(`explains the failed migration of an account without ${missing.toUpperCase()}, and its statement lets it`, async () => {
        const database = `without_${missing}`
        const all = ['select', 'insert', 'update', 'create', 'alter', 'index', 'references']
        await run(admin, `create database ${database} character set utf8mb4`)
        const url = await account(database, all.filter((privilege) => privilege !== missing).join(', '), database)
        const db = connect(url)
        const failure = await failureOf(
          migrate(url).catch(async (error) => Promise.reject(await explainDenied(db, error))),
        )
        await db.destroy()
        expect(failure.message).toMatch(/may not migrate the database \(\w+ command denied to user /)
        await mend(failure)
        await migrate(url)
        expect(await check(url)).toEqual([])
      })
    }
  })
}
