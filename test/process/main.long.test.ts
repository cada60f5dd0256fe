import { createDatabase, migrate, transact } from '@pointwise/db'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signToken } from '../setup/configuration.ts'
import { holdLocks, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { json, send } from '../setup/trpc-wire.ts'
import { dropDatabaseBeforeEach, EXITS_WITHIN_MS, env, open, url } from './standalone-server.ts'

dropDatabaseBeforeEach()

test('a standalone server creates no demo data and prints no token', async () => {
  await using server = new ServerProcess(env)
  expect((await send({ url: await server.url() }, '/trpc/stores.list')).text).toBe('{"result":{"data":{"json":[]}}}')
  // A locking read waits for transactions that are still writing.
  for (const table of ['stores', 'users', 'products']) {
    expect(await transact(open(), (tx) => run(tx, `select id from ${table} for update`))).toEqual([])
  }
  expect(server.stdout + server.stderr).not.toMatch(/eyJ|token|Pointwise is running/)
})

test('two processes that start at the same time on an empty database both become ready', async () => {
  await using one = new ServerProcess(env)
  await using other = new ServerProcess(env)
  for (const server of [one, other]) {
    expect((await send({ url: await server.url() }, '/readyz')).status).toBe(200)
  }
})

test('after a rollback, the server serves the schema of a newer version, and reports it', async () => {
  await createDatabase(url)
  await migrate(url)
  const db = open()
  // A newer version's expand migration.
  await run(db, 'alter table users add column nickname varchar(50) null')
  await run(db, 'create table coupons (id int primary key)')
  await run(db, "insert into kysely_migration (name, timestamp) values ('9999-coupons', '2099-01-01T00:00:00.000Z')")
  await using server = new ServerProcess(env)
  const address = await server.url()
  expect((await send({ url: address }, '/readyz')).status).toBe(200)
  const warnings = server.stdout.split('\n').filter((line) => line.includes('"level":40'))
  expect(warnings.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      msg: 'the database has the migrations of a newer version',
      migrations: ['9999-coupons'],
    }),
  ])
  const authorization = `Bearer ${await signToken({ sub: 'x', role: 'admin' })}`
  const created = await send({ url: address }, '/trpc/users.create', json('{"json":{"name":"Ada"}}', { authorization }))
  expect(created.status).toBe(200)
})

test('a database that refuses the password is one fatal log line, and the server is ready again when it accepts it', async () => {
  const root = open()
  await createDatabase(url)
  const account = "'pointwise_process'@'%'"
  await run(root, `drop user if exists ${account}`)
  await run(root, `create user ${account} identified by 'Right-1234'`)
  onTestFinished(() => run(root, `drop user ${account}`).then(() => undefined))
  await run(root, `grant all on ${new URL(url).pathname.slice(1)}.* to ${account}`)
  const address = new URL(url)
  address.username = 'pointwise_process'
  address.password = 'Right-1234'
  await using server = new ServerProcess({ ...env, DATABASE_URL: address.href })
  const target = { url: await server.url() }
  await run(root, `alter user ${account} identified by 'Other-1234'`)
  const sessions = "select id from information_schema.processlist where user = 'pointwise_process'"
  for (const { id } of await run<{ id: number }>(root, sessions)) await run(root, `kill ${id}`)
  for (const _ of [1, 2, 3]) {
    await eventually(async () => (await send(target, '/trpc/stores.list')).text).toContain('service_busy')
    await eventually(async () => (await send(target, '/readyz')).text).toContain('database access denied')
  }
  await run(root, `alter user ${account} identified by 'Right-1234'`)
  await eventually(async () => (await send(target, '/readyz')).status).toBe(200)
  const fatal = server.stdout.split('\n').filter((line) => line.includes('"level":60'))
  expect(fatal.map((line) => JSON.parse(line))).toMatchObject([
    { msg: 'the database refuses the account of DATABASE_URL', err: { cause: { errno: 1045 } } },
  ])
  expect(server.stdout).toContain('the database accepts the account of DATABASE_URL again')
})

test('the server logs a warning about a secret with surrounding white space, without the secret', async () => {
  await using server = new ServerProcess({ ...env, JWT_SECRET: `${env.JWT_SECRET}\n` })
  await server.url()
  const [warning] = server.stdout.split('\n').filter((line) => line.includes('white space'))
  expect(JSON.parse(warning ?? '{}')).toMatchObject({ level: 40, msg: expect.stringContaining('JWT_SECRET begins') })
  expect(server.stdout).not.toContain(env.JWT_SECRET)
})

const SIGNALS: [what: string, signals: NodeJS.Signals[]][] = [
  ['on SIGINT', ['SIGINT']],
  ['when Ctrl-C reaches it from the terminal and from npm', ['SIGINT', 'SIGINT']],
  ['when a supervisor sends SIGTERM twice', ['SIGTERM', 'SIGTERM']],
]

describe('the server shuts down gracefully, with exit code 0,', () => {
  for (const [what, signals] of SIGNALS) {
    test(what, async () => {
      await using server = new ServerProcess(env)
      // The connection stays open, as in a browser.
      await send({ url: await server.url() }, '/livez')
      const started = performance.now()
      for (const signal of signals) server.child.kill(signal)
      expect(await server.exitCode()).toBe(0)
      expectWithin(performance.now() - started, EXITS_WITHIN_MS)
      expect(server.stderr).toBe('')
    })
  }

  test('after requests in progress have completed, also when a second signal arrives meanwhile', async () => {
    await using server = new ServerProcess(env)
    const address = await server.url()
    const call = async (path: string, input: object, claims: Record<string, string>) =>
      send(
        { url: address },
        `/trpc/${path}`,
        json(JSON.stringify({ json: input }), { authorization: `Bearer ${await signToken(claims)}` }),
      )
    const created = await call('users.create', { name: 'Ada' }, { sub: 'x', role: 'admin' })
    const { id } = JSON.parse(created.text).result.data.json

    const locks = await holdLocks(url, 'select id from points for update')
    const charged = call('points.charge', { amount: 70 }, { sub: String(id) })
    const waiting = () =>
      run(
        open(),
        `select 1 from information_schema.processlist where info like '%from \`points\`%for update%' and info not like '%processlist%'`,
      )
    await eventually(waiting).toHaveLength(1)
    server.child.kill('SIGINT')
    await eventually(() => server.stdout).toContain('"reason":"SIGINT"')
    server.child.kill('SIGINT')
    await locks[Symbol.asyncDispose]()
    expect((await charged).status).toBe(200)
    expect(await server.exitCode()).toBe(0)
    expect(await run(open(), 'select point from points')).toEqual([{ point: 70 }])
  })
})

test('a signal before the server listens ends it with exit code 0', async () => {
  await using server = new ServerProcess(env)
  await eventually(() =>
    run(open(), 'select 1').then(
      () => true,
      () => false,
    ),
  ).toBe(true)
  server.child.kill('SIGTERM')
  expect(await server.exitCode()).toBe(0)
})
