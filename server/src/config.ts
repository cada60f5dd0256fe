import { DatabaseUrlError, parseDatabaseUrl } from '@pointwise/db'
import type { DatabaseProvider } from '@pointwise/db/development'
import { z } from 'zod'
import type { TokenConfig } from './auth/authenticate.ts'
import { expected, isWholeNumber, optional, wholeNumber } from './config-values.ts'
import { parseRedisUrl, type RedisAddress } from './redis/redis-url.ts'
import type { RelayConfig } from './relay/create-relay.ts'
import type { StreamLimits } from './subscriptions/stream-limits.ts'

const SECRET_BYTES_MIN = 32
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const databaseUrl = ({ hostsMax }: { hostsMax: number }) =>
  z.string().superRefine((text, context) => {
    const addIssue = (message: string) => context.addIssue({ code: 'custom', message })
    try {
      const { servers } = parseDatabaseUrl(text)
      if (servers.length > hostsMax) addIssue(`must name at most ${hostsMax} host; it names ${servers.length}`)
    } catch (error) {
      if (!(error instanceof DatabaseUrlError)) throw error
      addIssue(error.problem)
    }
  })

const redisUrl = z.string().transform((text, context) => {
  const address = parseRedisUrl(text)
  if (address) return address
  const message =
    'must have the form redis://[[user]:password@]host[:port][/number], with rediss:// for TLS; its value is not shown, because it can contain a password'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const jwtSecret = z
  .string()
  .transform((text) => new TextEncoder().encode(text))
  .refine((bytes) => bytes.length >= SECRET_BYTES_MIN, {
    error: ({ input }) =>
      `must be at least ${SECRET_BYTES_MIN} bytes long; it is ${(input as Uint8Array).length} bytes long; set it to the output of "openssl rand -base64 48", for example`,
  })

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text
const origins = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every(isOrigin), {
    error: expected('a comma-separated list of origins, without a path', 'https://shop.example'),
  })

const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/
/** The headers of W3C Trace Context and Baggage, and Sentry's own, which tracing libraries add to the requests of a page. */
const TRACING_HEADERS = ['traceparent', 'tracestate', 'baggage', 'sentry-trace']
const headerNames = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  // `*` would be a header of that name, because it excludes the Authorization header and therefore cannot mean every header.
  .refine((names) => names.every((name) => HEADER_NAME.test(name) && name !== '*'), {
    error: expected('a comma-separated list of header names', TRACING_HEADERS.join(',')),
  })

export const DEFAULT_TOPIC = 'pointwise.events'
const MAX_CALLS_PER_MINUTE = 1_000_000
const rateLimit = z
  .string()
  .refine((text) => text === 'off' || isWholeNumber(text, 1, MAX_CALLS_PER_MINUTE), {
    error: expected(`a whole number from 1 to ${MAX_CALLS_PER_MINUTE}, or off`, '600'),
  })
  .transform((text) => (text === 'off' ? null : Number(text)))

const BROKER = /^(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i
const brokers = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every((part) => BROKER.test(part)), {
    error: expected('a comma-separated list of host:port', 'kafka-1:9092,kafka-2:9092'),
  })

/** Kafka accepts longer names. The name of the cursor in `outbox_cursors` ends with the name of the topic. */
const TOPIC_LENGTH_MAX = 58
const topic = z
  .string()
  .refine((text) => /^[\w.-]+$/.test(text) && !/^\.{1,2}$/.test(text) && text.length <= TOPIC_LENGTH_MAX, {
    error: expected(`a topic name of at most ${TOPIC_LENGTH_MAX} letters, digits, ".", "_" and "-"`, DEFAULT_TOPIC),
  })

const environment = z.object({
  DATABASE_URL: optional(databaseUrl({ hostsMax: Number.POSITIVE_INFINITY })),
  // A pool on several hosts uses the one that takes writes.
  DATABASE_REPLICA_URL: optional(databaseUrl({ hostsMax: 1 })),
  DATABASE_POOL: optional(wholeNumber(1, 1_000, 10)),
  POINTWISE_DATABASE: optional(z.enum(['docker', 'local'], { error: expected('docker or local', 'docker') })),
  HOST: optional(z.string()),
  PORT: optional(wholeNumber(0, 65_535, 3000)),
  METRICS_PORT: optional(wholeNumber(0, 65_535, 9464)),
  JWT_SECRET: optional(jwtSecret),
  JWT_JWKS_URL: optional(
    z.url({
      protocol: /^https?$/,
      error: expected('an http or https URL', 'https://login.example/.well-known/jwks.json'),
    }),
  ),
  JWT_AUDIENCE: optional(z.string()),
  JWT_ISSUER: optional(z.string()),
  CORS_ORIGINS: optional(origins),
  CORS_HEADERS: optional(headerNames),
  LOG_LEVEL: optional(z.enum(LOG_LEVELS, { error: expected(`one of ${LOG_LEVELS.join(', ')}`, 'info') })),
  RATE_LIMIT: optional(rateLimit),
  STREAMS: optional(wholeNumber(0, 100_000, 5_000)),
  STREAMS_PER_CALLER: optional(wholeNumber(0, 100_000, 50)),
  TRUST_PROXY: optional(wholeNumber(0, 100, 1)),
  RANKINGS_TTL_SECONDS: optional(wholeNumber(0, 86_400, 30)),
  SHUTDOWN_DELAY_MS: optional(wholeNumber(0, 600_000, 5_000)),
  STOREFRONT: optional(z.enum(['on', 'off'], { error: expected('on or off', 'on') })),
  REDIS_URL: optional(redisUrl),
  KAFKA_BROKERS: optional(brokers),
  KAFKA_TOPIC: optional(topic),
  OUTBOX_RETENTION_DAYS: optional(wholeNumber(0, 3_650, 7)),
})

/** The part of the configuration that `buildApp` needs. */
export interface AppConfig {
  tokens: TokenConfig
  corsOrigins: string[]
  /** The request headers that pages of these origins may send, in addition to those that the API reads. */
  corsHeaders: string[]
  /** Procedure calls a minute, per user and per client network; null for no limit. */
  rateLimit: number | null
  /** How many subscription streams can be open at once. Defaults to the limits of `SubscriptionHub`. */
  streams?: StreamLimits
  /** How many proxies in front of the server are trusted to report the client's address. */
  trustProxy: number
  rankingsTtlSeconds: number
  /** Whether the storefront and the API reference are served, beside the API. */
  storefront: boolean
  /** The Kafka topic of the events, for the AsyncAPI document. Defaults to `pointwise.events`. */
  eventTopic?: string
}

/** Where the database is: at a URL, or on a development server that this process starts. */
export type DatabaseConfig =
  | { mode: 'standalone'; databaseUrl: string }
  | { mode: 'embedded'; databaseProvider: DatabaseProvider | undefined }

interface ProcessConfig extends Omit<AppConfig, 'tokens'> {
  /** The URL of a replica for reads that may be some seconds old; undefined: the primary answers them. */
  replicaUrl: string | undefined
  /** The number of connections in the pool. */
  databasePool: number
  host: string
  port: number
  /** The port of the metrics endpoint; undefined: metrics are not served. */
  metricsPort: number | undefined
  logLevel: (typeof LOG_LEVELS)[number]
  /** How long the server continues to serve after a signal, while `/readyz` answers 503. */
  shutdownDelayMs: number
  /** Where limits, caches and wake-ups are shared; undefined: each server has its own. */
  redis: RedisAddress | undefined
  /** Where events are published; undefined: this process publishes none. */
  kafka: RelayConfig | undefined
  /** What is valid and probably not intended. */
  warnings: string[]
}

/** The server uses the database at `databaseUrl`. */
export type StandaloneConfig = ProcessConfig & Extract<DatabaseConfig, { mode: 'standalone' }> & { tokens: TokenConfig }

/** The server starts its own database. Without a configured key it creates a JWT secret. */
export type EmbeddedConfig = ProcessConfig &
  Extract<DatabaseConfig, { mode: 'embedded' }> & {
    tokens: Omit<TokenConfig, 'key'> & Partial<Pick<TokenConfig, 'key'>>
  }

export type Config = StandaloneConfig | EmbeddedConfig

/** The configuration is invalid. The message is for the operator: what was expected, what was found, what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the whole configuration from environment variables.
 *
 * @throws ConfigError
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const variables = parse(environment, env)
  const isEmbedded = variables.DATABASE_URL === undefined
  const shared: ProcessConfig = {
    replicaUrl: variables.DATABASE_REPLICA_URL,
    databasePool: variables.DATABASE_POOL ?? 10,
    host: variables.HOST ?? '127.0.0.1',
    port: variables.PORT ?? 3000,
    metricsPort: variables.METRICS_PORT,
    logLevel: variables.LOG_LEVEL ?? (isEmbedded ? 'warn' : 'info'),
    shutdownDelayMs: variables.SHUTDOWN_DELAY_MS ?? 0,
    eventTopic: variables.KAFKA_TOPIC ?? DEFAULT_TOPIC,
    redis: variables.REDIS_URL,
    kafka: kafkaConfig(variables),
    warnings: tokenWarnings(env),
    corsOrigins: variables.CORS_ORIGINS ?? [],
    corsHeaders: variables.CORS_HEADERS ?? TRACING_HEADERS,
    rateLimit: variables.RATE_LIMIT === undefined ? 600 : variables.RATE_LIMIT,
    streams: { perCaller: variables.STREAMS_PER_CALLER ?? 50, total: variables.STREAMS ?? 5_000 },
    trustProxy: variables.TRUST_PROXY ?? 0,
    rankingsTtlSeconds: variables.RANKINGS_TTL_SECONDS ?? 30,
    storefront: variables.STOREFRONT ? variables.STOREFRONT === 'on' : isEmbedded,
  }
  const tokens = { audience: variables.JWT_AUDIENCE ?? 'pointwise', issuer: variables.JWT_ISSUER ?? 'pointwise' }
  const key = tokenKey(variables)
  const database = databaseConfig(variables)
  if (database.mode === 'embedded') return { ...shared, ...database, tokens: { ...tokens, ...(key && { key }) } }
  if (key) return { ...shared, ...database, tokens: { ...tokens, key } }
  throw new ConfigError(
    'JWT_SECRET or JWT_JWKS_URL must be set when DATABASE_URL is set; neither is; set one of them, so that the server can verify tokens.',
  )
}

/**
 * Reads only where the database and its replica are, for the audit as a process of its own.
 *
 * @throws ConfigError
 */
export function readAuditConfig(env: NodeJS.ProcessEnv): DatabaseConfig & { replicaUrl: string | undefined } {
  const ofDatabases = { DATABASE_URL: true, DATABASE_REPLICA_URL: true, POINTWISE_DATABASE: true } as const
  const variables = parse(environment.pick(ofDatabases), env)
  return { ...databaseConfig(variables), replicaUrl: variables.DATABASE_REPLICA_URL }
}

/**
 * Reads only where the database and the Kafka topic are, and the retention, for the relay as a process of its own.
 *
 * @throws ConfigError
 */
export function readRelayConfig(env: NodeJS.ProcessEnv): DatabaseConfig & { kafka: RelayConfig } {
  const ofDatabase = { DATABASE_URL: true, POINTWISE_DATABASE: true } as const
  const ofRelay = { KAFKA_BROKERS: true, KAFKA_TOPIC: true, OUTBOX_RETENTION_DAYS: true } as const
  const variables = parse(environment.pick({ ...ofDatabase, ...ofRelay }), env)
  const kafka = kafkaConfig(variables)
  if (kafka) return { ...databaseConfig(variables), kafka }
  throw new ConfigError(
    'KAFKA_BROKERS must be set to publish events; it is not; set it to kafka-1:9092,kafka-2:9092, for example.',
  )
}

type Variables = z.output<typeof environment>

function kafkaConfig(
  variables: Pick<Variables, 'KAFKA_BROKERS' | 'KAFKA_TOPIC' | 'OUTBOX_RETENTION_DAYS'>,
): RelayConfig | undefined {
  const {
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC: topic = DEFAULT_TOPIC,
    OUTBOX_RETENTION_DAYS: retentionDays = 7,
  } = variables
  return brokers && { brokers, topic, retentionDays }
}

function databaseConfig(variables: Pick<Variables, 'DATABASE_URL' | 'POINTWISE_DATABASE'>): DatabaseConfig {
  const { DATABASE_URL, POINTWISE_DATABASE } = variables
  return DATABASE_URL === undefined
    ? { mode: 'embedded', databaseProvider: POINTWISE_DATABASE }
    : { mode: 'standalone', databaseUrl: DATABASE_URL }
}

function tokenKey({ JWT_SECRET, JWT_JWKS_URL }: Variables): TokenConfig['key'] | undefined {
  if (JWT_SECRET && JWT_JWKS_URL) {
    throw new ConfigError('Only one of JWT_SECRET and JWT_JWKS_URL can be set; both are; unset one of them.')
  }
  if (JWT_SECRET) return { secret: JWT_SECRET }
  return JWT_JWKS_URL ? { jwksUrl: new URL(JWT_JWKS_URL) } : undefined
}

/** White space is legal in these variables. Where it was not intended, every token would be refused. */
function tokenWarnings(env: NodeJS.ProcessEnv): string[] {
  return ['JWT_SECRET', 'JWT_AUDIENCE', 'JWT_ISSUER']
    .filter((name) => env[name] !== env[name]?.trim())
    .map(
      (name) =>
        `${name} begins or ends with white space, which is a part of its value. Remove it, unless the issuer of the tokens uses the same value.`,
    )
}

function parse<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  const { data, error } = schema.safeParse(env)
  if (!error) return data
  throw new ConfigError(error.issues.map(({ path, message }) => `${String(path[0])} ${message}.`).join(' '))
}
