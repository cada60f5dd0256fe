import { expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { send } from '../setup/trpc-wire.ts'
import { dropDatabaseBeforeEach, env } from './standalone-server.ts'

dropDatabaseBeforeEach()

test('during the shutdown delay the server is not ready and serves every other call; a second signal ends the delay', async () => {
  await using server = new ServerProcess({ ...env, SHUTDOWN_DELAY_MS: '600000' })
  const url = await server.url()
  await eventually(async () => (await send({ url }, '/readyz')).status).toBe(200)
  server.child.kill('SIGTERM')
  await eventually(async () => (await send({ url }, '/readyz')).text).toBe(
    '{"status":"unavailable","problem":"closing"}',
  )
  expect((await send({ url }, '/livez')).status).toBe(200)
  expect((await send({ url }, '/trpc/stores.list')).status).toBe(200)
  expect((await send({ url }, '/readyz')).status).toBe(503)

  // Signals within a second of the first one count as the same.
  const endDelay = () => {
    if (server.stdout.includes('the shutdown delay is ended')) return true
    server.child.kill('SIGTERM')
    return false
  }
  await eventually(endDelay, { interval: 250 }).toBe(true)
  expect(await server.exitCode()).toBe(0)
  expect(server.stderr).toBe('')
})

test('the server closes by itself after the shutdown delay, and not before', async () => {
  await using server = new ServerProcess({ ...env, SHUTDOWN_DELAY_MS: '300' })
  const url = await server.url()
  await eventually(async () => (await send({ url }, '/readyz')).status).toBe(200)
  const signaledAt = performance.now()
  server.child.kill('SIGTERM')
  expect(await server.exitCode()).toBe(0)
  expect(performance.now() - signaledAt).toBeGreaterThanOrEqual(300)
})
