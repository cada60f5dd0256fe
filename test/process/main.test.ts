import { describe, expect, test } from 'vitest'
import { signToken } from '../setup/configuration.ts'
import { holdLocks, run } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { json, send } from '../setup/trpc-wire.ts'
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

describe('the server shuts down gracefully, with exit code 0,', () => {
  test('on SIGTERM', async () => {
    await using server = new ServerProcess(env)
    // The connection stays open, as in a browser.
    await send({ url: await server.url() }, '/livez')
    const started = performance.now()
    server.child.kill('SIGTERM')
    expect(await server.exitCode()).toBe(0)
    expectWithin(performance.now() - started, EXITS_WITHIN_MS)
    expect(server.stderr).toBe('')
  })

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
