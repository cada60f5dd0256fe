import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig, readRelayConfig } from '../../server/src/config.ts'
import { SECRET } from '../setup/configuration.ts'
import { expectRefused, SOUND, wholeNumber } from './refused-process.ts'

const URL_FORM =
  'must have the form mysql://user[:password]@host:port/database; its value is not shown, because it can contain a password'

const origins = (value: string) =>
  `must be a comma-separated list of origins, without a path; it is "${value}"; set it to https://shop.example, for example`
const jwksUrl = (value: string) =>
  `must be an http or https URL; it is "${value}"; set it to https://login.example/.well-known/jwks.json, for example`
const rateLimit = (value: string) =>
  `must be a whole number from 1 to 1000000, or off; it is "${value}"; set it to 600, for example`

const REDIS_FORM =
  'must have the form redis://[[user]:password@]host[:port][/number], with rediss:// for TLS; its value is not shown, because it can contain a password'

const INVALID: Record<string, [value: string, message: string][]> = {
  DATABASE_URL: [
    ['postgres://root@127.0.0.1/pointwise', URL_FORM],
    ['not-a-url', URL_FORM],
    [
      'mysql://root@127.0.0.1:3306',
      'names no database; write it as in mysql://user[:password]@host:port/database; its value is not shown, because it can contain a password',
    ],
    [
      'mysql://root@127.0.0.1/pointwise?dateStrings=true',
      'has the parameter dateStrings, which is not accepted; Pointwise sets the options of its driver itself; remove it; the accepted parameters are ssl-mode, ssl, tls, useSSL, requireSSL, sslaccept, ssl-ca',
    ],
  ],
  DATABASE_REPLICA_URL: [
    ['not-a-url', URL_FORM],
    ['mysql://root@a,b/pointwise', 'must name at most 1 host; it names 2'],
  ],
  DATABASE_POOL: [
    ['0', wholeNumber(1, 1_000, '0', 10)],
    ['many', wholeNumber(1, 1_000, 'many', 10)],
  ],
  POINTWISE_DATABASE: [['cloud', 'must be docker or local; it is "cloud"; set it to docker, for example']],
  PORT: ['65536', 'http', '-1', '3000.5'].map((value) => [value, wholeNumber(0, 65_535, value, 3000)]),
  REDIS_URL: [
    'http://cache.example',
    'cache.example:6379',
    'redis://:pass/word@cache.example',
    'redis://:100%@cache.example',
    'redis://cache.example/shop',
    'redis://a:6379,b:6379',
  ].map((value) => [value, REDIS_FORM]),
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
  CORS_HEADERS: ['*', 'traceparent,', 'two words', 'a:b'].map((value) => [
    value,
    `must be a comma-separated list of header names; it is "${value}"; set it to traceparent,tracestate,baggage,sentry-trace, for example`,
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
  SHUTDOWN_DELAY_MS: ['-1', '5s', '600001'].map((value) => [value, wholeNumber(0, 600_000, value, 5_000)]),
  RANKINGS_TTL_SECONDS: [['-5', wholeNumber(0, 86_400, '-5', 30)]],
  OUTBOX_RETENTION_DAYS: ['-1', '1.5', '3651', 'never'].map((value) => [value, wholeNumber(0, 3_650, value, 7)]),
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
      tokens: { key: { secret: SECRET } },
    })
  })

  test('serves the storefront when STOREFRONT is on, and by default only in embedded mode', () => {
    expect(readConfig(SOUND).storefront).toBe(false)
    expect(readConfig({ ...SOUND, STOREFRONT: 'on' }).storefront).toBe(true)
    expect(readConfig({}).storefront).toBe(true)
    expect(readConfig({ STOREFRONT: 'off' }).storefront).toBe(false)
  })

  test('names the topic of the events with and without brokers', () => {
    expect(readConfig(SOUND).eventTopic).toBe('pointwise.events')
    expect(readConfig({ ...SOUND, KAFKA_TOPIC: 'shop.changes' }).eventTopic).toBe('shop.changes')
    const { eventTopic, kafka } = readConfig({ ...SOUND, KAFKA_TOPIC: 'shop.changes', KAFKA_BROKERS: 'kafka:9092' })
    expect([eventTopic, kafka?.topic]).toEqual(['shop.changes', 'shop.changes'])
  })

  test('retains published events for seven days, for another time, or without a limit, also as a relay of its own', () => {
    const env = { ...SOUND, KAFKA_BROKERS: 'kafka:9092' }
    for (const [text, retentionDays] of [
      ['', 7],
      ['0', 0],
      ['3650', 3_650],
    ] as const) {
      const kafka = { brokers: ['kafka:9092'], topic: 'pointwise.events', retentionDays }
      expect(readConfig({ ...env, OUTBOX_RETENTION_DAYS: text }).kafka).toEqual(kafka)
      expect(readRelayConfig({ ...env, OUTBOX_RETENTION_DAYS: text }).kafka).toEqual(kafka)
    }
  })

  test('uses Redis only where REDIS_URL is set', () => {
    expect(readConfig(SOUND).redis).toBeUndefined()
    const redis = { host: 'cache.example', port: 6_380, username: undefined, password: 'p@ss', database: 2 }
    const { redis: read } = readConfig({ ...SOUND, REDIS_URL: 'rediss://:p%40ss@cache.example:6380/2' })
    expect(read).toEqual({ ...redis, isEncrypted: true })
  })

  test('warns about white space around what tokens are compared with, and does not remove it', () => {
    for (const name of ['JWT_SECRET', 'JWT_AUDIENCE', 'JWT_ISSUER'] as const) {
      const sound = name === 'JWT_SECRET' ? SOUND.JWT_SECRET : 'shop'
      for (const value of [`${sound}\n`, ` ${sound}`, `${sound}\t`, `${sound}\r\n`, `\u00a0${sound}`]) {
        const { warnings } = readConfig({ ...SOUND, [name]: value })
        expect(warnings).toEqual([expect.stringContaining(`${name} begins or ends with white space`)])
        expect(warnings.join()).not.toContain(sound)
      }
    }
    const key = readConfig({ ...SOUND, JWT_SECRET: `${SOUND.JWT_SECRET}\n` }).tokens.key
    expect(key).toEqual({ secret: new TextEncoder().encode(`${SOUND.JWT_SECRET}\n`) })
    expect(readConfig({ ...SOUND, JWT_ISSUER: 'two words' }).warnings).toEqual([])
  })

  test('treats an empty variable as unset', () => {
    const nothing = Object.fromEntries(Object.keys(INVALID).map((name) => [name, '']))
    expect(readConfig({ ...nothing, ...SOUND })).toEqual(readConfig(SOUND))
  })
})

describe('a process with an invalid configuration', () => {
  test('prints one message that names every invalid variable, and exits with code 1', () =>
    expectRefused(
      { ...SOUND, PORT: 'x', STOREFRONT: 'y' },
      `PORT ${wholeNumber(0, 65_535, 'x', 3000)}. STOREFRONT must be on or off; it is "y"; set it to on, for example.`,
    ))
})
