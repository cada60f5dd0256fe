import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect, createDatabase, migrate } from '@pointwise/db'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databaseUrl, run } from '../setup/database.ts'
import { installedServers, query, startServer } from '../setup/development-database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { expectRefused, SOUND, wholeNumber } from './refused-process.ts'

describe.concurrent('a process with an invalid configuration prints one message and exits with code 1:', () => {
  test('a variable with an invalid value', () =>
    expectRefused({ ...SOUND, PORT: '65536' }, `PORT ${wholeNumber(0, 65_535, '65536', 3000)}.`))

  test('no key for tokens', () =>
    expectRefused(
      { ...SOUND, JWT_SECRET: undefined },
      'JWT_SECRET or JWT_JWKS_URL must be set when DATABASE_URL is set; neither is; set one of them, so that the server can verify tokens.',
    ))

  test('two keys for tokens', () =>
    expectRefused(
      { ...SOUND, JWT_JWKS_URL: 'https://keys.example/jwks' },
      'Only one of JWT_SECRET and JWT_JWKS_URL can be set; both are; unset one of them.',
    ))
})

describe('a process that cannot use what its configuration names prints one message and exits with code 1:', () => {
  test('a database server that is not reachable', () =>
    expectRefused(SOUND, /^pointwise: .*ECONNREFUSED 127\.0\.0\.1:1\n$/))

  test('a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const env = { ...SOUND, DATABASE_URL: databaseUrl('configuration'), PORT: String(port) }
    await expectRefused(env, new RegExp(`^pointwise: .*EADDRINUSE.* 127\\.0\\.0\\.1:${port}\\n$`))
  })

  test('a database server that is not reachable, without printing its password', async () => {
    await using server = new ServerProcess({ ...SOUND, DATABASE_URL: 'mysql://root:hunter2@127.0.0.1:1/nowhere' })
    expect(await server.exitCode()).toBe(1)
    expect(server.stderr + server.stdout).not.toContain('hunter2')
  })

  test('a database that a server of another branch has migrated', async () => {
    const url = databaseUrl('branch')
    await createDatabase(url)
    const db = connect(url)
    onTestFinished(async () => {
      await run(db, `drop database ${new URL(url).pathname.slice(1)}`)
      await db.destroy()
    })
    await migrate(url)
    await run(db, "insert into kysely_migration (name, timestamp) values ('0003-other-branch', '2099')")
    await expectRefused(
      { ...SOUND, DATABASE_URL: url },
      /^pointwise: The database could not be migrated\. .*0003-other-branch.*\n$/,
    )
  })

  test('a database that is not utf8mb4', async () => {
    const url = databaseUrl('latin')
    await createDatabase(url)
    const db = connect(url)
    await run(db, 'alter database character set latin1')
    await db.destroy()
    await expectRefused(
      { ...SOUND, DATABASE_URL: url },
      /^pointwise: This database server cannot be used:\n- The database's collation is latin1_\S+\. Expected a utf8mb4 collation\. .*\n$/,
    )
  })

  test('a database account that may only read', async () => {
    const [binary] = await installedServers()
    if (!binary) return
    await using server = await startServer(binary, [])
    await createDatabase(server.url)
    await migrate(server.url)
    await query(server.url, "create user reader identified by 'secret'", 'grant select on shop.* to reader')
    await expectRefused(
      { ...SOUND, DATABASE_URL: server.url.replace('root@', 'reader:secret@') },
      /^pointwise: This database server cannot be used:\n- The account 'reader'@'%' lacks INSERT on users.* Run as an administrator: GRANT INSERT, UPDATE ON `shop`\.\* TO 'reader'@'%';\n$/,
    )
    await query(server.url, "set global sql_mode = ''")
    await using accepted = new ServerProcess({ ...SOUND, DATABASE_URL: server.url })
    await accepted.url()
    expect(accepted.stdout).toMatch(/"level":40,.*The server's global sql_mode is ''\. /)
  })
})

test('a process does not start on a database server that ignores FOR UPDATE, and the message states what to set', async () => {
  await createDatabase(databaseUrl('liar'))
  await using proxy = await faultProxy(databaseUrl('liar'))
  proxy.rewrite(/(from `points`.*) for update$/, '$1')
  await expectRefused(
    { ...SOUND, DATABASE_URL: proxy.url },
    /^pointwise: This database server cannot be used:\n- SELECT … FOR UPDATE of `points` did not wait for a row that another session had locked\. Set DATABASE_URL to .*\n$/,
  )
})
