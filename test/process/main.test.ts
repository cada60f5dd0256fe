import { expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { send } from '../setup/trpc-wire.ts'
import { dropDatabaseBeforeEach, EXITS_WITHIN_MS, env, open } from './standalone-server.ts'

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
