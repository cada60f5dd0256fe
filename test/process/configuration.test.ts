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
const ORIGINS = 'must be a list of origins such as https://shop.example, and'
const URL_FORM = 'must be mysql://user[:password]@host:port/database'

/** Ends before it listens, with one sentence for the operator and nothing else. */
async function expectRefused(env: Record<string, string | undefined>, sentence: string | RegExp): Promise<void> {
  await using server = new ServerProcess(env)
  expect(await server.end()).toBe(1)
  if (typeof sentence === 'string') expect(server.stderr).toBe(`pointwise: Bad configuration: ${sentence}\n`)
  else expect(server.stderr).toMatch(sentence)
  expect(server.stdout).not.toContain('listening')
  expect(server.stderr).not.toMatch(/\n\s+at /)
}

const REFUSED: Record<string, [value: string, what: string][]> = {
  DATABASE_URL: [
    ['postgres://root@127.0.0.1/pointwise', URL_FORM],
    ['nonsense', URL_FORM],
    ['mysql://root@127.0.0.1:3306', URL_FORM],
  ],
  DATABASE_POOL: [
    ['0', 'must be at least 1'],
    ['many', 'must be a whole number'],
  ],
  POINTWISE_DATABASE: [['cloud', 'must be docker or local']],
  PORT: [
    ['65536', 'must be at most 65535'],
    ['http', 'must be a whole number'],
    ['-1', 'must be a whole number'],
    ['3000.5', 'must be a whole number'],
  ],
  JWT_SECRET: [['too short', 'must be at least 32 bytes long']],
  JWT_JWKS_URL: [
    ['keys.example', 'must be an http or https URL'],
    ['file:///etc/keys', 'must be an http or https URL'],
  ],
  CORS_ORIGINS: [
    ['*', `${ORIGINS} "*" is none`],
    ['https://shop.example,shop.example', `${ORIGINS} "shop.example" is none`],
    ['https://shop.example/', `${ORIGINS} "https://shop.example/" is none`],
    ['null', `${ORIGINS} "null" is none`],
  ],
  LOG_LEVEL: [['loud', 'must be one of pino’s levels, such as info']],
  RATE_LIMIT: [
    ['none', 'must be a whole number from 1, or off'],
    ['0', 'must be at least 1'],
    ['-1', 'must be a whole number from 1, or off'],
  ],
  STREAMS: [['many', 'must be a whole number']],
  STREAMS_PER_CALLER: [['-1', 'must be a whole number']],
  TRUST_PROXY: [
    ['yes', 'must be a whole number'],
    ['101', 'must be at most 100'],
  ],
  RANKINGS_TTL_SECONDS: [['-5', 'must be a whole number']],
  STOREFRONT: [['yes', 'must be on or off']],
}

describe('a bad value is refused with the name of its variable:', () => {
  for (const [name, values] of Object.entries(REFUSED)) {
    for (const [value, what] of values) {
      test(`${name}=${value}`, () => {
        expect(() => readConfig({ ...SOUND, [name]: value })).toThrow(new ConfigError(`${name} ${what}.`))
      })
    }
  }

  test('pages are served where STOREFRONT says so, and in the embedded mode', () => {
    expect(readConfig(SOUND).storefront).toBe(false)
    expect(readConfig({ ...SOUND, STOREFRONT: 'on' }).storefront).toBe(true)
    expect(readConfig({}).storefront).toBe(true)
    expect(readConfig({ STOREFRONT: 'off' }).storefront).toBe(false)
  })

  test('a variable that is set to nothing counts as not set', () => {
    const nothing = Object.fromEntries(Object.keys(REFUSED).map((name) => [name, '']))
    expect(readConfig({ ...nothing, ...SOUND })).toEqual(readConfig(SOUND))
  })
})

describe.concurrent('a bad configuration is one sentence and exit code 1:', () => {
  test('a wrong variable', () => expectRefused({ ...SOUND, PORT: '65536' }, 'PORT must be at most 65535.'))

  test('no key for tokens', () =>
    expectRefused(
      { ...SOUND, JWT_SECRET: undefined },
      'Neither JWT_SECRET nor JWT_JWKS_URL is set; with DATABASE_URL one of them must be.',
    ))

  test('two keys for tokens', () =>
    expectRefused(
      { ...SOUND, JWT_JWKS_URL: 'https://keys.example/jwks' },
      'JWT_SECRET and JWT_JWKS_URL are both set; set one.',
    ))

  test('several wrong variables, all of them named', () =>
    expectRefused(
      { ...SOUND, PORT: 'x', LOG_LEVEL: 'y' },
      'PORT must be a whole number; LOG_LEVEL must be one of pino’s levels, such as info.',
    ))
})

describe('what a configuration names and what is not there is told in a line, with exit code 1:', () => {
  test('a database server that does not answer', () =>
    expectRefused(SOUND, /^pointwise: .*ECONNREFUSED 127\.0\.0\.1:1\n$/))

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const env = { ...SOUND, DATABASE_URL: databaseUrl('configuration'), PORT: String(port) }
    await expectRefused(env, new RegExp(`^pointwise: .*EADDRINUSE.* 127\\.0\\.0\\.1:${port}\\n$`))
  })

  test('a password is not repeated', async () => {
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
      /^pointwise: This database server cannot be used: .* latin1_\S+, one of utf8mb4 is expected\.\n$/,
    )
  })
})
