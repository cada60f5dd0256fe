import { createDatabase, migrate } from '@pointwise/db'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { send } from '../setup/trpc-wire.ts'
import { dropDatabaseBeforeEach, EXITS_WITHIN_MS, env, open, url } from './standalone-server.ts'

dropDatabaseBeforeEach()

test('the server creates its database, migrates it, listens, and logs each step', async () => {
  await using server = new ServerProcess(env)
  const address = await server.url()
  expect(await send({ url: address }, '/readyz')).toMatchObject({ status: 200 })
  const lines = server.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const [ready] = await run<{ version: string }>(open(), 'select @@version as version')
  expect(lines[0]).toMatchObject({ msg: 'database ready', version: ready?.version })
  expect(lines[0].applied.length).toBeGreaterThanOrEqual(13)
  expect(server.stderr).toBe('')
})

test('the server shuts down gracefully, with exit code 0, on SIGTERM', async () => {
  await using server = new ServerProcess(env)
  // The connection stays open, as in a browser.
  await send({ url: await server.url() }, '/livez')
  const started = performance.now()
  server.child.kill('SIGTERM')
  expect(await server.exitCode()).toBe(0)
  expectWithin(performance.now() - started, EXITS_WITHIN_MS)
  expect(server.stderr).toBe('')
})

test('a server that is to delete published events does not start with an account that cannot', async () => {
  await createDatabase(url)
  await migrate(url)
  const root = open()
  const account = "'pointwise_retention'@'%'"
  await run(root, `drop user if exists ${account}`)
  await run(root, `create user ${account} identified by 'Right-1234'`)
  onTestFinished(() => run(root, `drop user ${account}`).then(() => undefined))
  await run(root, `grant select, insert, update on ${new URL(url).pathname.slice(1)}.* to ${account}`)
  const address = Object.assign(new URL(url), { username: 'pointwise_retention', password: 'Right-1234' }).href
  await using server = new ServerProcess({ ...env, DATABASE_URL: address, KAFKA_BROKERS: '127.0.0.1:1' })
  await eventually(() => server.stdout + server.stderr).toMatch(/lacks DELETE on events\.|listening/)
  expect(server.stdout).not.toContain('listening')
  expect(await server.exitCode()).toBe(1)
})
