import {
  checkAccess,
  checkCapabilities,
  checkServer,
  connect,
  createDatabase,
  explainDenied,
  migrate,
  type Pool,
  Replica,
} from '@pointwise/db'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { closeOnSignal } from './close-on-signal.ts'
import { type Config, readConfig } from './config.ts'
import { describeError } from './describe-error.ts'
import { banner } from './embedded/banner.ts'
import { demoTokens, demoUsers } from './embedded/demo-tokens.ts'
import { seedIfEmpty } from './embedded/seed.ts'
import { removeServerFile, writeServerFile } from './embedded/server-file.ts'
import { type Embedded, startEmbedded } from './embedded/start.ts'
import { urlOf } from './http/address.ts'
import type { UnreadyReason } from './http/health.ts'
import { createLogger } from './http/logging.ts'
import { listen } from './http/server.ts'
import type { Storefront } from './http/web/storefront.ts'
import { CommitSignal } from './outbox/commit-signal.ts'
import { LOCKING_STATEMENTS } from './payments/settlement/lock-rows.ts'
import type { RedisConnection } from './redis/redis-connection.ts'
import type { RedisAddress } from './redis/redis-url.ts'
import type { RelayConfig } from './relay/create-relay.ts'
import type { OutboxRelay } from './relay/outbox-relay.ts'
import type { RelayStatus } from './relay/relay-status.ts'

/** What to undo when the process ends. The last entry is undone first. */
const cleanups: (() => Promise<void>)[] = []

let isClosing = () => false
/** Whether nothing remains to be done before other processes use the server: in embedded mode, `server.json` is written. */
let isAnnounced = false

try {
  await start(readConfig(process.env))
} catch (error) {
  // A start that fails because the process is closing is not a failure.
  if (!isClosing()) {
    process.stderr.write(`pointwise: ${describeError(error)}\n`)
    await cleanUp().catch(() => undefined)
    process.exit(1)
  }
}

async function start(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel)
  isClosing = closeOnSignal(logger, {
    // Without a listener there is nothing that a load balancer could stop sending requests to.
    delayMs: () => (isAnnounced ? config.shutdownDelayMs : 0),
    close: cleanUp,
  })
  for (const warning of config.warnings) logger.warn(warning)
  const source = config.mode === 'embedded' ? await startEmbedded(config, print) : config
  if (source.mode === 'embedded') cleanups.push(source.database.stop)

  const db = await openDatabase(source.databaseUrl, config, logger)
  const storefront =
    source.mode === 'embedded' && config.storefront ? await demoStorefront(db, source, logger) : undefined
  const isNew = source.mode === 'embedded' && (await seedIfEmpty(db))

  const readinessDb = connect(source.databaseUrl, { connections: 1 })
  cleanups.push(() => readinessDb.destroy())
  const tokens = source.tokens
  const redis = config.redis && (await openRedis(config.redis, logger))
  const commits = new CommitSignal(redis)
  const replica = config.replicaUrl === undefined ? undefined : await openReplica(db, config.replicaUrl, config, logger)
  const shared = { db, replica, readinessDb, redis, commits }
  const app = await buildApp({ ...shared, config: { ...config, tokens }, logger, storefront, unreadyReason })
  cleanups.push(() => app.close())
  const relay = config.kafka && (await openRelay(source.databaseUrl, config.kafka, logger))
  commits.on(() => relay?.wake())
  redis?.start()
  await serveMetrics(app, { config, logger, relay: relay?.status, redis, replica })
  isAnnounced = source.mode === 'standalone'
  await listen(app, config)
  relay?.start()
  if (source.mode === 'embedded') await announce(app, { db, source, isNew, hasPages: config.storefront })
}

function unreadyReason(): UnreadyReason | undefined {
  if (isClosing()) return 'closing'
  return isAnnounced ? undefined : 'starting'
}

/** Creates the database if it does not exist, checks its server, migrates it, and checks its account and its locks. */
async function openDatabase(url: string, config: Config, logger: Logger): Promise<Pool> {
  await createDatabase(url)
  const db = connect(url, {
    connections: config.databasePool,
    onAccessDenied: (error) => logger.fatal({ err: error }, 'the database refuses the account of DATABASE_URL'),
    onAccessRestored: () => logger.info('the database accepts the account of DATABASE_URL again'),
    onPrimary: (primary) => logger.info({ primary }, 'found the primary database server'),
    onNoPrimary: (error) => logger.error({ err: error }, 'found no primary database server'),
  })
  cleanups.push(() => db.destroy())
  const { version, warnings } = await checkServer(db)
  for (const warning of warnings) logger.warn(warning)
  const onWarning = (message: string, details: object) => logger.warn(details, message)
  const applied = await migrate(url, { onWarning }).catch(async (error) => {
    throw await explainDenied(db, error)
  })
  await checkAccess(db, { deletesEvents: config.kafka !== undefined && config.kafka.retentionDays > 0 })
  await checkCapabilities(url, LOCKING_STATEMENTS)
  logger.info({ version, applied }, 'database ready')
  return db
}

/** Starts to build the storefront of the embedded mode. Vite and its build are loaded only where they are used. */
async function demoStorefront(db: Pool, { signing }: Embedded, logger: Logger): Promise<Storefront> {
  const { buildStorefront } = await import('./embedded/build-storefront.ts')
  const onFailure = (error: unknown) => logger.error({ err: error }, 'the storefront build failed')
  const { state, stop } = buildStorefront({ onFailure })
  cleanups.push(stop)
  return { build: state, users: () => demoUsers(db, signing) }
}

/** Opens the replica, which need not be available. */
async function openReplica(primary: Pool, url: string, config: Config, logger: Logger): Promise<Replica> {
  const replica = new Replica({
    primary,
    url,
    connections: config.databasePool,
    onUsed: () => logger.info('the replica is used for product lists, rankings and the audit'),
    onUnused: (reason) => logger.warn({ reason }, 'the replica is not used: the primary answers its reads'),
  })
  cleanups.push(() => replica.close())
  await replica.start()
  return replica
}

/** The client of Redis is loaded only where it is used. */
async function openRedis(address: RedisAddress, logger: Logger): Promise<RedisConnection> {
  const { RedisConnection } = await import('./redis/redis-connection.ts')
  const redis = new RedisConnection({ address, logger })
  cleanups.push(async () => redis.close())
  return redis
}

/** Opens the relay on connections of its own. The client of Kafka is loaded only where it is used. */
async function openRelay(databaseUrl: string, kafka: RelayConfig, logger: Logger): Promise<OutboxRelay> {
  const { createRelay } = await import('./relay/create-relay.ts')
  const { relay, close } = createRelay({ databaseUrl, kafka, logger })
  cleanups.push(close)
  return relay
}

interface MetricsOptions {
  config: Config
  logger: Logger
  relay: RelayStatus | undefined
  redis: RedisConnection | undefined
  replica: Replica | undefined
}

async function serveMetrics(app: FastifyInstance, { config, logger, ...parts }: MetricsOptions): Promise<void> {
  const { host, metricsPort } = config
  if (metricsPort === undefined) return
  const metrics = await import('./http/metrics.ts')
  const { url, close } = await metrics.serveMetrics(metrics.collectMetrics(app, parts), { host, port: metricsPort })
  cleanups.push(close)
  logger.info({ url }, 'serving metrics')
}

interface AnnounceOptions {
  db: Pool
  source: Embedded
  isNew: boolean
  hasPages: boolean
}

/** Publishes the embedded server to other processes of the same user, and prints the banner. */
async function announce(app: FastifyInstance, { db, source, isNew, hasPages }: AnnounceOptions): Promise<void> {
  const { database, databaseUrl, signing } = source
  const url = urlOf(app.server)
  const tokens = await demoTokens(db, signing)
  cleanups.push(removeServerFile)
  await writeServerFile({ url, databaseUrl, ...tokens })
  isAnnounced = true
  print(banner({ url, database, tokens, isNew, hasPages }))
}

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
