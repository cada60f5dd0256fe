import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { createClient } from '@pointwise/client-sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { copyRepository } from '../setup/repository-copy.ts'

const UNAVAILABLE = 'No database server could be started'

let checkout: ReturnType<typeof copyRepository>
let home: string
let server: ChildProcess | undefined

beforeAll(() => {
  checkout = copyRepository()
  home = checkout.folder
})
afterAll(() => {
  server?.kill('SIGKILL')
  checkout.remove()
})

/** Starts the server, and resolves with all that it printed until it said how to try it, or until it ended. */
async function start(): Promise<string> {
  const { DATABASE_URL: _, ...env } = process.env
  server = spawn(process.execPath, ['server/src/main.ts'], {
    cwd: home,
    env: { ...env, POINTWISE_DATABASE: 'local', PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const stream of [server.stderr, server.stdout]) {
    if (stream) createInterface(stream).on('line', (line) => lines.push(line))
  }
  const exited = once(server, 'close')
  while (!lines.some((line) => line.includes('Ctrl-C stops')) && server.exitCode === null) {
    await Promise.race([exited, once(server.stdout ?? server, 'data')])
  }
  return lines.join('\n')
}

/** Ctrl-C under npm: the signal comes from the terminal, and again from npm. */
async function stop(): Promise<number> {
  const child = server
  if (!child) throw new Error('The server was not started.')
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  child.kill('SIGINT')
  const [code] = await exited
  return code
}

/** `npm run audit`, where nothing says which database. */
async function audited(): Promise<{ stdout: string; stderr: string }> {
  const { DATABASE_URL: _, ...env } = process.env
  const options = { cwd: home, env: { ...env, POINTWISE_DATABASE: 'local' } }
  return promisify(execFile)(process.execPath, ['server/scripts/audit.ts'], options)
}

const told = () =>
  JSON.parse(readFileSync(join(home, '.pointwise/server.json'), 'utf8')) as Record<'url' | 'userToken', string>

async function balance(): Promise<number> {
  const { url, userToken } = told()
  return (await createClient({ url, token: userToken }).points.balance.query()).balance
}

describe('the embedded mode', () => {
  test('opens a shop that a newcomer can use, and finds its data again', { timeout: 120_000 }, async (context) => {
    const welcome = await start()
    if (welcome.includes(UNAVAILABLE)) context.skip(welcome)
    const { url, userToken } = told()
    expect(welcome).toContain(`Pointwise is open at ${url}`)
    expect(welcome).toContain('3 stores, 500 products, 5 users with points')
    expect(welcome).toContain(`curl -s ${url}/trpc/points.balance -H 'authorization: Bearer ${userToken}'`)
    expect(await balance()).toBeGreaterThan(0)
    expect(welcome).toContain(`the shop     ${url} in a browser`)
    await eventually(async () => (await fetch(url)).text()).toContain('<div id="root">')
    const { users } = (await (await fetch(`${url}/storefront/users.json`)).json()) as { users: { token: string }[] }
    expect(users.map(({ token }) => token.split('.').length)).toEqual([3, 3, 3, 3, 3])

    const demo = await promisify(execFile)(process.execPath, ['client-sdk/example/demo.ts'], { cwd: home })
    expect(demo.stdout.match(/^Refused: /gm)).toHaveLength(2)
    const left = await balance()
    const beside = await audited()
    expect(beside.stderr).toBe(`Reading the database of the server at ${url}.\n`)
    expect(beside.stdout).toContain('\nAll checks passed. ')
    expect(await stop()).toBe(0)
    expect(existsSync(join(home, '.pointwise/server.json')), 'nobody is told of a server that is gone').toBe(false)

    const again = await start()
    expect(again).not.toContain('500 products')
    expect(await balance()).toBe(left)
    expect(await stop()).toBe(0)

    const alone = await audited()
    expect(alone.stderr).toMatch(/^No server runs: its database is started, and stopped afterwards\.\n/)
    expect(alone.stdout).toContain('\nAll checks passed. ')
  })
})
