import { transact } from '@pointwise/db'
import { describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { send } from '../setup/trpc-wire.ts'
import { dropDatabaseBeforeEach, EXITS_WITHIN_MS, env, open } from './standalone-server.ts'

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
