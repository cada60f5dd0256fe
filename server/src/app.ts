import type { Pool, Replica } from '@pointwise/db'
import type { AnyTRPCRouter } from '@trpc/server'
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import { AuditRunner } from './audit/service.ts'
import { createAuthenticate } from './auth/authenticate.ts'
import { clientNetwork } from './auth/client-address.ts'
import { createConsumeRateLimit } from './auth/rate-limit.ts'
import type { AppConfig } from './config.ts'
import { CallLog } from './http/call-log.ts'
import { answerClientErrors } from './http/client-errors.ts'
import { registerCors, UnroutedCors } from './http/cors.ts'
import { BODY_BYTES_MAX, sendError, sendNotFound, sendUnroutedError } from './http/error-responses.ts'
import { drainOnClose } from './http/graceful-shutdown.ts'
import { mountHealth, type UnreadyReason } from './http/health.ts'
import { LOAD_LIMITS, type LoadLimits, LoadShedding } from './http/load-shedding.ts'
import { RequestLog } from './http/logging.ts'
import { RecentWriters } from './http/recent-writers.ts'
import { requestIdOf } from './http/request-id.ts'
import { checkUrl } from './http/request-text.ts'
import { securityHeaders } from './http/security-headers.ts'
import { CONNECTION_LIMITS, type ConnectionLimits, createLimitedServer } from './http/server.ts'
import { contextCreator } from './http/trpc/create-context.ts'
import { mountTrpc } from './http/trpc/route.ts'
import { mountApiDocuments } from './http/web/api-documents.ts'
import type { Storefront } from './http/web/storefront.ts'
import { CommitSignal } from './outbox/commit-signal.ts'
import { SettlementQueue } from './payments/settlement/queue.ts'
import { ProductListCache } from './products/product-list-cache.ts'
import type { RedisConnection } from './redis/redis-connection.ts'
import { appRouter } from './router.ts'
import { newTransactionCounters } from './rpc/transactions.ts'
import { SubscriptionHub } from './subscriptions/hub.ts'
import { UserExistenceCache } from './users/user-existence-cache.ts'

/** Enough for a batch of the longest procedure names. */
const PATH_LENGTH_MAX = 1_000
const USER_EXISTENCE_TTL_SECONDS = 5

export type Limits = ConnectionLimits & LoadLimits

export interface AppOptions {
  db: Pool
  /** A connection of its own for readiness checks, so that they take none from calls. Defaults to `db`. */
  readinessDb?: Pool
  /** Answers product lists, rankings and the audit, as long as it is current enough. */
  replica?: Replica | undefined
  config: AppConfig
  logger: FastifyBaseLogger
  /** What all servers share, beside the database. The caller starts it when the server is built, and closes it. */
  redis?: RedisConnection | undefined
  /** Sent after each mutation. Defaults to a signal of the server's own. */
  commits?: CommitSignal | undefined
  /** The clock. Defaults to the system clock. */
  now?: () => Date
  /** Defaults to the router of the shop. */
  router?: AnyTRPCRouter
  /** How long the existence of a user is cached. */
  userExistenceTtlSeconds?: number
  /** What is served when `config.storefront` is set. Defaults to the build of `npm run build:storefront`. */
  storefront?: Storefront | undefined
  limits?: Partial<Limits>
  /** Why the process is not ready, for `/readyz`; all other calls are served. Defaults to always ready. */
  unreadyReason?: () => UnreadyReason | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Settles payments in batches. Decorated for callers in the same process. */
    settlement: SettlementQueue
  }
}

/** Builds the server, which does not listen yet. Closing it does not destroy `db`, which belongs to the caller. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { db, config, logger, readinessDb = db } = options
  const limits = { ...CONNECTION_LIMITS, ...LOAD_LIMITS, ...options.limits }
  const corsOptions = { origins: config.corsOrigins, headers: config.corsHeaders }
  const cors = new UnroutedCors(corsOptions)
  const shedding = new LoadShedding({ limits, cors, requestIdOf, log: logger })
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new RequestLog(),
    genReqId: requestIdOf,
    trustProxy: config.trustProxy > 0 && ((_address, hop) => hop < config.trustProxy),
    bodyLimit: BODY_BYTES_MAX,
    serverFactory: (handle) => createLimitedServer(handle, { limits, shedding }),
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      reply.headers(cors.headersFor(request.headers.origin))
      sendUnroutedError(error, request, reply)
    },
    // Answered by `answerClientErrors`.
    clientErrorHandler: () => undefined,
  })
  answerClientErrors(app.server, { cors, log: logger })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler(sendNotFound)
  app.addHook('onListen', async () => shedding.begin())
  app.addHook('onClose', async () => shedding.close())
  addRequestHooks(app)
  await registerCors(app, corsOptions)
  // After CORS, so that a page can read the error.
  app.addHook('onRequest', (request, _reply, done) => {
    checkUrl(request)
    done()
  })
  const isClosing = drainOnClose(app, cors)
  const unreadyReason = options.unreadyReason ?? (() => undefined)
  mountHealth(app, { db, readinessDb, isClosing, unreadyReason })
  await mountWeb(app, options)
  await mountProcedures(app, options, shedding)
  return app
}

/** Adds to each request its call log, and to each response the security headers and the request id. */
function addRequestHooks(app: FastifyInstance): void {
  const counters = newTransactionCounters()
  const headers = securityHeaders()
  app.decorate('counters', counters)
  app.decorateRequest('callLog', null)
  app.addHook('onRequest', (request, reply, done) => {
    request.callLog = new CallLog(counters)
    reply.headers(headers).header('x-request-id', request.id)
    done()
  })
}

async function mountWeb(app: FastifyInstance, { config, storefront }: AppOptions): Promise<void> {
  mountApiDocuments(app, config)
  if (!config.storefront) return
  // Imported only here: the API reference loads a script of several megabytes.
  await (await import('./http/web/api-reference.ts')).mountReference(app)
  await (await import('./http/web/storefront.ts')).mountStorefront(app, storefront)
}

/** Remembers for some seconds which client networks may have written. Every mutation is a POST request. */
function rememberWriters(app: FastifyInstance, redis: AppOptions['redis']): RecentWriters {
  const recentWriters = new RecentWriters({ redis })
  const remember = async ({ method, ip }: FastifyRequest) => {
    if (method === 'POST') await recentWriters.add(clientNetwork(ip))
  }
  // Before the client receives the response, and after the end of one that it receives in parts.
  app.addHook('onSend', remember)
  app.addHook('onResponse', remember)
  return recentWriters
}

/** Creates what all calls share, and serves the procedures. */
async function mountProcedures(app: FastifyInstance, options: AppOptions, shedding: LoadShedding): Promise<void> {
  const { db, replica, config, redis, now = () => new Date(), router = appRouter } = options
  const { userExistenceTtlSeconds: ttlSeconds = USER_EXISTENCE_TTL_SECONDS, commits = new CommitSignal(redis) } =
    options
  const settlement = new SettlementQueue(db)
  const recentWriters = replica ? rememberWriters(app, redis) : undefined
  const subscriptions = new SubscriptionHub(db, {
    ...(config.streams && { limits: config.streams }),
    commits,
    redis,
    onWarning: (message, details) => app.log.warn(details, message),
  })
  app.addHook('preClose', async () => subscriptions.close())
  app.decorate('settlement', settlement)
  app.decorate('gauges', {
    callsInProgress: () => shedding.callsInProgress,
    requestsShed: () => shedding.requestsShed,
    paymentsWaiting: () => settlement.pendingCount,
    streams: () => subscriptions.size,
  })
  const createContext = contextCreator({
    db,
    now,
    settlement,
    subscriptions,
    replica,
    recentWriters,
    audit: new AuditRunner((work) => (replica ? replica.readLong(work) : work(db))),
    authenticate: createAuthenticate(config.tokens, {
      now,
      onFailure: (error) => app.log.warn({ err: error }, 'fetching the JWKS failed'),
      onUnusableKeys: (keys) => app.log.warn({ keys }, 'keys of the JWKS cannot verify tokens and are ignored'),
    }),
    consumeRateLimit: await createConsumeRateLimit(config.rateLimit, redis),
    productListCache: new ProductListCache(db, {
      ttlSeconds: config.rankingsTtlSeconds,
      now,
      redis,
      readReplica: replica && ((work) => replica.read(work)),
    }),
    userExistenceCache: new UserExistenceCache(db, { ttlSeconds, redis }),
  })
  mountTrpc(app, { router, shedding, createContext })
}
