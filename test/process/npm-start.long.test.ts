import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from '@pointwise/client-sdk'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { copyRepository } from '../setup/repository-copy.ts'

let checkout: ReturnType<typeof copyRepository>
let npm: ChildProcess | undefined
let output: string

beforeAll(() => {
  checkout = copyRepository()
})
afterAll(() => {
  // A process group of its own, which contains the server.
  if (npm?.pid && !hasExited()) process.kill(-npm.pid, 'SIGKILL')
  checkout.remove()
})

const environment = (port: number) => {
  const { DATABASE_URL: _, ...env } = process.env
  return { ...env, POINTWISE_DATABASE: 'local', PORT: String(port) }
}

/** Runs `npm start`. */
function start(env: NodeJS.ProcessEnv): void {
  output = ''
  const child = spawn('npm', ['start'], {
    cwd: checkout.folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  npm = child
}

const hasExited = () => npm?.exitCode !== null || npm.signalCode !== null

/** Runs `npm start`, and resolves as soon as the server is ready. */
async function startUntilReady(port: number): Promise<'ready' | 'no database'> {
  start(environment(port))
  while (!hasExited()) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return 'ready'
  }
  return 'no database'
}

/** Kills the process of npm only, and waits until it has exited. */
async function killNpm(signal: NodeJS.Signals): Promise<void> {
  const child = npm
  if (!child) throw new Error('npm was not started.')
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

const isRefused = (promise: Promise<unknown>) =>
  promise.then(
    () => false,
    () => true,
  )

const inDataDirectory = (name: string) => join(checkout.folder, '.pointwise', name)

test('on a fresh machine, a server that is ready can be used by npm run demo; killing npm ends it and its database', {
  timeout: 240_000,
}, async (context) => {
  const port = await findFreePort()
  if ((await startUntilReady(port)) === 'no database') {
    if (output.includes('No database server could be started')) context.skip(output)
    expect.unreachable(output)
  }
  const { url, databaseUrl, userToken } = JSON.parse(readFileSync(inDataDirectory('server.json'), 'utf8'))
  const client = createClient({ url, token: userToken })
  expect((await client.products.list.query()).totalItems).toBe(500)
  expect(await client.products.topSelling.query()).not.toEqual([])
  await promisify(execFile)('npm', ['run', 'demo'], { cwd: checkout.folder, env: environment(port) })

  await killNpm('SIGTERM')
  await eventually(() => isRefused(fetch(url))).toBe(true)
  await eventually(() => isRefused(createConnection(databaseUrl).then((connection) => connection.end()))).toBe(true)
  expect(existsSync(inDataDirectory('server.json'))).toBe(false)

  // As a kill between the creation and the writing of the file left it.
  writeFileSync(inDataDirectory('jwt-secret'), '')
  expect(await startUntilReady(port)).toBe('ready')
  expect(output).toContain('is incomplete and is replaced')
  await promisify(execFile)('npm', ['run', 'demo'], { cwd: checkout.folder, env: environment(port) })
  await killNpm('SIGTERM')
  await eventually(() => isRefused(fetch(url))).toBe(true)
})

/** Loaded into the server: delays the last step of writing `server.json` until a file exists. */
const DELAY_SERVER_FILE = `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const { rename } = fs.promises
fs.promises.rename = async (from, to) => {
  while (to.endsWith('server.json') && !fs.existsSync('release')) await new Promise((resolve) => setTimeout(resolve, 10))
  return rename(from, to)
}
syncBuiltinESMExports()
`

test('a server that has not written server.json is not ready, and serves the demonstration catalogue', {
  timeout: 240_000,
}, async (context) => {
  const port = await findFreePort()
  writeFileSync(join(checkout.folder, 'delay.mjs'), DELAY_SERVER_FILE)
  start({ ...environment(port), NODE_OPTIONS: `--import=${join(checkout.folder, 'delay.mjs')}` })
  const url = `http://127.0.0.1:${port}`
  const readiness = () =>
    fetch(`${url}/readyz`).then(
      (response) => response.text(),
      (error: unknown) => hasExited() || error,
    )
  await eventually(readiness).not.toBeInstanceOf(Error)
  if (output.includes('No database server could be started')) context.skip(output)
  expect(await readiness()).toBe('{"status":"unavailable","problem":"starting"}')
  expect((await createClient({ url }).products.list.query()).totalItems).toBe(500)
  expect(existsSync(inDataDirectory('server.json'))).toBe(false)
  writeFileSync(join(checkout.folder, 'release'), '')
  await eventually(readiness).toBe('{"status":"ok"}')
  expect(existsSync(inDataDirectory('server.json'))).toBe(true)
  await killNpm('SIGTERM')
  await eventually(() => isRefused(fetch(url))).toBe(true)
})

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
