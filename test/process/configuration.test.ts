import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { connect, createDatabase, migrate } from '@pointwise/db'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError, readConfig } from '../../server/src/config.ts'
import { databaseUrl, run } from '../setup/database.ts'
import { ServerProcess } from '../setup/server-process.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const SOUND = { DATABASE_URL: 'mysql://root@127.0.0.1:1/nowhere', JWT_SECRET: SECRET, PORT: '0' }
const URL_FORM =
  'must have the form mysql://user[:password]@host:port/database; its value is not shown, because it can contain a password'

const wholeNumber = (min: number, max: number, value: string, example: number) =>
  `must be a whole number from ${min} to ${max}; it is "${value}"; set it to ${example}, for example`
const origins = (value: string) =>
  `must be a comma-separated list of origins, without a path; it is "${value}"; set it to https://shop.example, for example`
const jwksUrl = (value: string) =>
  `must be an http or https URL; it is "${value}"; set it to https://login.example/.well-known/jwks.json, for example`
const rateLimit = (value: string) =>
  `must be a whole number from 1 to 1000000, or off; it is "${value}"; set it to 600, for example`

/** Expects that the process exits with code 1 before it listens, and that it prints only this message. */
async function expectRefused(env: Record<string, string | undefined>, message: string | RegExp): Promise<void> {
  await using server = new ServerProcess(env)
  expect(await server.end()).toBe(1)
  if (typeof message === 'string') expect(server.stderr).toBe(`pointwise: Invalid configuration: ${message}\n`)
  else expect(server.stderr).toMatch(message)
  expect(server.stdout).not.toContain('listening')
  expect(server.stderr).not.toMatch(/\n\s+at /)
}

const INVALID: Record<string, [value: string, message: string][]> = {
  DATABASE_URL: [
    ['postgres://root@127.0.0.1/pointwise', URL_FORM],
    ['not-a-url', URL_FORM],
    ['mysql://root@127.0.0.1:3306', URL_FORM],
  ],
  DATABASE_POOL: [
    ['0', wholeNumber(1, 1_000, '0', 10)],
    ['many', wholeNumber(1, 1_000, 'many', 10)],
  ],
  POINTWISE_DATABASE: [['cloud', 'must be docker or local; it is "cloud"; set it to docker, for example']],
  PORT: ['65536', 'http', '-1', '3000.5'].map((value) => [value, wholeNumber(0, 65_535, value, 3000)]),
  JWT_SECRET: [
    [
      'too short',
      'must be at least 32 bytes long; it is 9 bytes long; set it to the output of "openssl rand -base64 48", for example',
    ],
  ],
  JWT_JWKS_URL: ['keys.example', 'file:///etc/keys'].map((value) => [value, jwksUrl(value)]),
  CORS_ORIGINS: ['*', 'https://shop.example,shop.example', 'https://shop.example/', 'null'].map((value) => [
    value,
    origins(value),
  ]),
  LOG_LEVEL: [
    [
      'loud',
      'must be one of fatal, error, warn, info, debug, trace, silent; it is "loud"; set it to info, for example',
    ],
  ],
  RATE_LIMIT: ['none', '0', '-1'].map((value) => [value, rateLimit(value)]),
  STREAMS: [['many', wholeNumber(0, 100_000, 'many', 5_000)]],
  STREAMS_PER_CALLER: [['-1', wholeNumber(0, 100_000, '-1', 50)]],
  TRUST_PROXY: ['yes', '101'].map((value) => [value, wholeNumber(0, 100, value, 1)]),
  RANKINGS_TTL_SECONDS: [['-5', wholeNumber(0, 86_400, '-5', 30)]],
  STOREFRONT: [['yes', 'must be on or off; it is "yes"; set it to on, for example']],
}

describe('an invalid value is reported with its variable, what was expected and what to set:', () => {
  for (const [name, values] of Object.entries(INVALID)) {
    for (const [value, message] of values) {
      test(`${name}=${value}`, () => {
        expect(() => readConfig({ ...SOUND, [name]: value })).toThrow(new ConfigError(`${name} ${message}.`))
      })
    }
  }

  test('a long value is shortened', () => {
    expect(() => readConfig({ ...SOUND, PORT: 'x'.repeat(9_000) })).toThrow(
      wholeNumber(0, 65_535, 'x'.repeat(100), 3000),
    )
  })
})

describe('the configuration', () => {
  test('without DATABASE_URL is that of the embedded mode, with DATABASE_URL that of a standalone server', () => {
    expect(readConfig({ POINTWISE_DATABASE: 'local' })).toMatchObject({
      mode: 'embedded',
      databaseProvider: 'local',
      logLevel: 'warn',
      tokens: { audience: 'pointwise', issuer: 'pointwise' },
    })
    expect(readConfig(SOUND)).toMatchObject({
      mode: 'standalone',
      databaseUrl: SOUND.DATABASE_URL,
      logLevel: 'info',
      tokens: { key: { secret: new TextEncoder().encode(SECRET) } },
    })
  })

  test('serves the storefront when STOREFRONT is on, and by default only in embedded mode', () => {
    expect(readConfig(SOUND).storefront).toBe(false)
    expect(readConfig({ ...SOUND, STOREFRONT: 'on' }).storefront).toBe(true)
    expect(readConfig({}).storefront).toBe(true)
    expect(readConfig({ STOREFRONT: 'off' }).storefront).toBe(false)
  })

  test('treats an empty variable as unset', () => {
    const nothing = Object.fromEntries(Object.keys(INVALID).map((name) => [name, '']))
    expect(readConfig({ ...nothing, ...SOUND })).toEqual(readConfig(SOUND))
  })
})

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

  test('several invalid variables, each of which is named', () =>
    expectRefused(
      { ...SOUND, PORT: 'x', STOREFRONT: 'y' },
      `PORT ${wholeNumber(0, 65_535, 'x', 3000)}. STOREFRONT must be on or off; it is "y"; set it to on, for example.`,
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
    expect(await server.end()).toBe(1)
    expect(server.stderr + server.stdout).not.toContain('hunter2')
  })

  test('a database that a newer server has migrated', async () => {
    const url = databaseUrl('newer')
    await createDatabase(url)
    const db = connect(url)
    onTestFinished(async () => {
      await run(db, `drop database ${new URL(url).pathname.slice(1)}`)
      await db.destroy()
    })
    await migrate(url)
    await run(db, "insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099')")
    await expectRefused(
      { ...SOUND, DATABASE_URL: url },
      /^pointwise: The database could not be migrated\. .*9999-from-the-future.*\n$/,
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
})
