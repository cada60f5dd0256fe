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
let checkoutFolder: string
let server: ChildProcess | undefined

beforeAll(() => {
  checkout = copyRepository()
  checkoutFolder = checkout.folder
})
afterAll(() => {
  server?.kill('SIGKILL')
  checkout.remove()
})

/** Starts the server, and resolves with its output up to the end of the banner, or up to its exit. */
async function start(): Promise<string> {
  const { DATABASE_URL: _, ...env } = process.env
  server = spawn(process.execPath, ['server/src/main.ts'], {
    cwd: checkoutFolder,
    env: { ...env, POINTWISE_DATABASE: 'local', PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const stream of [server.stderr, server.stdout]) {
    if (stream) createInterface(stream).on('line', (line) => lines.push(line))
  }
  const exited = once(server, 'close')
  while (
    !lines.some((line) => line.includes('Ctrl-C stops')) &&
    server.exitCode === null &&
    server.signalCode === null
  ) {
    await Promise.race([exited, once(server.stdout ?? server, 'data')])
  }
  return lines.join('\n')
}

/** Sends SIGINT twice, as Ctrl-C under npm does: once from the terminal and once from npm. */
async function stop(): Promise<number> {
  const child = server
  if (!child) throw new Error('The server was not started.')
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  child.kill('SIGINT')
  const [code] = await exited
  return code
}

/** Runs `npm run audit` without DATABASE_URL. */
async function runAudit(): Promise<{ stdout: string; stderr: string }> {
  const { DATABASE_URL: _, ...env } = process.env
  const options = { cwd: checkoutFolder, env: { ...env, POINTWISE_DATABASE: 'local' } }
  return promisify(execFile)(process.execPath, ['server/scripts/audit.ts'], options)
}

const serverFile = () =>
  JSON.parse(readFileSync(join(checkoutFolder, '.pointwise/server.json'), 'utf8')) as Record<
    'url' | 'userToken',
    string
  >

async function balance(): Promise<number> {
  const { url, userToken } = serverFile()
  return (await createClient({ url, token: userToken }).points.balance.query()).balance
}

describe('the embedded mode', () => {
  test('starts a server with demo data that a newcomer can use, and reuses its data on the next start', {
    timeout: 120_000,
  }, async (context) => {
    const banner = await start()
    if (banner.includes(UNAVAILABLE)) context.skip(banner)
    const { url, userToken } = serverFile()
    expect(banner).toContain(`Pointwise is running at ${url}`)
    expect(banner).toContain('3 stores, 500 products, 5 users with points')
    expect(banner).toContain(`curl -s ${url}/trpc/points.balance -H 'authorization: Bearer ${userToken}'`)
    expect(await balance()).toBeGreaterThan(0)
    expect(banner).toContain(`storefront   ${url}\n`)
    await eventually(async () => (await fetch(url)).text()).toContain('<div id="root">')
    const { users } = (await (await fetch(`${url}/storefront/users.json`)).json()) as { users: { token: string }[] }
    expect(users.map(({ token }) => token.split('.').length)).toEqual([3, 3, 3, 3, 3])

    const demo = await promisify(execFile)(process.execPath, ['client-sdk/example/demo.ts'], { cwd: checkoutFolder })
    expect(demo.stdout.match(/^Refused: /gm)).toHaveLength(2)
    const balanceAfterDemo = await balance()
    const whileRunning = await runAudit()
    // Lines about the progress of a slow audit follow.
    expect(whileRunning.stderr.startsWith(`Reading the database of the server at ${url}.\n`)).toBe(true)
    expect(whileRunning.stdout).toContain('\nAll checks passed. ')
    expect(await stop()).toBe(0)
    expect(existsSync(join(checkoutFolder, '.pointwise/server.json')), 'the server file is removed on exit').toBe(false)

    const secondBanner = await start()
    expect(secondBanner).not.toContain('500 products')
    expect(await balance()).toBe(balanceAfterDemo)
    expect(await stop()).toBe(0)

    const afterwards = await runAudit()
    expect(afterwards.stderr).toMatch(/^No server is running\. Its database is started now and stopped afterwards\.\n/)
    expect(afterwards.stdout).toContain('\nAll checks passed. ')
  })
})
