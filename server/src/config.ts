import { z } from 'zod'
import type { TokenConfig } from './auth/authenticate.ts'
import type { StreamLimits } from './subscriptions/stream-limits.ts'

const SECRET_BYTES_MIN = 32

/** A variable that is set to nothing counts as not set. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((text) => (text === '' ? undefined : text), schema.optional())

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))

const origin = z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
  error: ({ input }) => `must be a list of origins such as https://shop.example, and ${JSON.stringify(input)} is none`,
})

const databaseUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, pathname } = new URL(text)
  return protocol === 'mysql:' && pathname.length > 1
}, 'must be mysql://user[:password]@host:port/database')

const environment = z.object({
  DATABASE_URL: optional(databaseUrl),
  DATABASE_POOL: optional(wholeNumber(1, 1_000)),
  POINTWISE_DATABASE: optional(z.enum(['docker', 'local'], 'must be docker or local')),
  HOST: optional(z.string()),
  PORT: optional(wholeNumber(0, 65_535)),
  METRICS_PORT: optional(wholeNumber(0, 65_535)),
  JWT_SECRET: optional(
    z
      .string()
      .transform((text) => new TextEncoder().encode(text))
      .refine((bytes) => bytes.length >= SECRET_BYTES_MIN, `must be at least ${SECRET_BYTES_MIN} bytes long`),
  ),
  JWT_JWKS_URL: optional(z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })),
  JWT_AUDIENCE: optional(z.string()),
  JWT_ISSUER: optional(z.string()),
  CORS_ORIGINS: optional(
    z
      .string()
      .transform((text) => text.split(',').map((part) => part.trim()))
      .pipe(z.array(origin)),
  ),
  LOG_LEVEL: optional(
    z.enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be one of pino’s levels, such as info',
    ),
  ),
  RATE_LIMIT: optional(
    z.union(
      [z.literal('off').transform(() => null), wholeNumber(1, 1_000_000)],
      'must be a whole number from 1, or off',
    ),
  ),
  STREAMS: optional(wholeNumber(0, 100_000)),
  STREAMS_PER_CALLER: optional(wholeNumber(0, 100_000)),
  TRUST_PROXY: optional(wholeNumber(0, 100)),
  RANKINGS_TTL_SECONDS: optional(wholeNumber(0, 86_400)),
  STOREFRONT: optional(z.enum(['on', 'off'], 'must be on or off')),
})

/** What `buildApp` needs to know. */
export interface AppConfig {
  tokens: TokenConfig
  corsOrigins: string[]
  /** Procedure calls a minute, per user and per address; null for no limit. */
  rateLimit: number | null
  /** How many live streams may be open at once; the defaults where nothing is given. */
  streams?: StreamLimits
  /** How many proxies in front of us are believed about the client's address. */
  trustProxy: number
  rankingsTtlSeconds: number
  /** Whether pages are served to a browser, beside the API. */
  storefront: boolean
}

/** Where the database is. */
export interface DatabaseConfig {
  /** Not set: the embedded mode. */
  databaseUrl: string | undefined
  databaseProvider: 'docker' | 'local' | undefined
}

export interface Config extends Omit<AppConfig, 'tokens'>, DatabaseConfig {
  databasePool: number
  host: string
  port: number
  /** Not set: no metrics are served. */
  metricsPort: number | undefined
  logLevel: string | undefined
  tokens: Omit<TokenConfig, 'key'> & { key: TokenConfig['key'] | undefined }
}

/** The configuration was refused; the message is one clear sentence for the operator. */
export class ConfigError extends Error {
  override readonly name = 'BadConfig'
}

/**
 * Reads the environment, once.
 *
 * @throws BadConfig
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const data = read(environment, env)
  const key = data.JWT_SECRET
    ? { secret: data.JWT_SECRET }
    : data.JWT_JWKS_URL
      ? { jwksUrl: new URL(data.JWT_JWKS_URL) }
      : undefined
  if (data.JWT_SECRET && data.JWT_JWKS_URL) throw new ConfigError('JWT_SECRET and JWT_JWKS_URL are both set; set one.')
  if (data.DATABASE_URL && !key) {
    throw new ConfigError('Neither JWT_SECRET nor JWT_JWKS_URL is set; with DATABASE_URL one of them must be.')
  }
  return {
    databaseUrl: data.DATABASE_URL,
    databaseProvider: data.POINTWISE_DATABASE,
    databasePool: data.DATABASE_POOL ?? 10,
    host: data.HOST ?? '127.0.0.1',
    port: data.PORT ?? 3000,
    metricsPort: data.METRICS_PORT,
    logLevel: data.LOG_LEVEL,
    corsOrigins: data.CORS_ORIGINS ?? [],
    rateLimit: data.RATE_LIMIT === undefined ? 600 : data.RATE_LIMIT,
    streams: { perCaller: data.STREAMS_PER_CALLER ?? 50, inAll: data.STREAMS ?? 5_000 },
    trustProxy: data.TRUST_PROXY ?? 0,
    rankingsTtlSeconds: data.RANKINGS_TTL_SECONDS ?? 30,
    storefront: data.STOREFRONT ? data.STOREFRONT === 'on' : !data.DATABASE_URL,
    tokens: { audience: data.JWT_AUDIENCE ?? 'pointwise', issuer: data.JWT_ISSUER ?? 'pointwise', key },
  }
}

/**
 * Reads where the database is, for whoever needs nothing else of the configuration.
 *
 * @throws BadConfig
 */
export function readDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const data = read(environment.pick({ DATABASE_URL: true, POINTWISE_DATABASE: true }), env)
  return { databaseUrl: data.DATABASE_URL, databaseProvider: data.POINTWISE_DATABASE }
}

function read<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  const { data, error } = schema.safeParse(env)
  if (!error) return data
  throw new ConfigError(`${error.issues.map(({ path, message }) => `${String(path[0])} ${message}`).join('; ')}.`)
}
