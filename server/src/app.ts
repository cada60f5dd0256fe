import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import cors from '@fastify/cors'
import type { Pool } from '@pointwise/db'
import type { AnyTRPCRouter } from '@trpc/server'
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify'
import { AuditRunner } from './audit/service.ts'
import { createAuthenticate } from './auth/authenticate.ts'
import { createConsumeRateLimit } from './auth/rate-limit.ts'
import type { AppConfig } from './config.ts'
import { BODY_BYTES_MAX, sendError, sendNotFound, sendUnroutedError } from './http/error-responses.ts'
import { drainOnClose } from './http/graceful-shutdown.ts'
import { mountHealth } from './http/health.ts'
import { type LoadLimits, LoadShedding } from './http/load-shedding.ts'
import { RequestLog } from './http/logging.ts'
import { securityHeaders } from './http/security-headers.ts'
import { boundedServer, type ConnectionLimits } from './http/server.ts'
import { mountTrpc } from './http/trpc/route.ts'
import { mountOpenapi } from './http/web/openapi.ts'
import type { Storefront } from './http/web/storefront.ts'
import { SettlementQueue } from './payments/settlement/queue.ts'
import { ProductListCache } from './products/product-list-cache.ts'
import { appRouter } from './router.ts'
import type { Context } from './rpc/context.ts'
import { newTransactionCounters, RetryLog, type TransactionCounters, transactOn } from './rpc/transactions.ts'
import { SubscriptionHub } from './subscriptions/hub.ts'
import { UserExistenceCache } from './users/user-existence-cache.ts'

/** Room for a batch of the longest procedure names. */
const PATH_LENGTH_MAX = 1_000
const PREFLIGHT_SECONDS = 600
const DIRECTORY_TTL_SECONDS = 5

export type Limits = ConnectionLimits & LoadLimits

const LIMITS: Limits = {
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 72_000,
  idleTimeoutMs: 300_000,
  connectionsMax: 10_000,
  // What a server of 1,000 calls a second does within two seconds.
  concurrentCallsMax: 2_000,
  eventLoopDelayMaxMs: 500,
}

export interface AppOptions {
  db: Pool
  config: AppConfig
  logger: FastifyBaseLogger
  /** The clock; the machine's where none is given. */
  now?: () => Date
  /** What is mounted; the shop's router where none is given. */
  router?: AnyTRPCRouter
  /** How long a user is taken to exist without asking again. */
  userExistenceTtlSeconds?: number
  /** The page that is served where the configuration says so; the one that was built where none is given. */
  storefront?: Storefront | undefined
  limits?: Partial<Limits>
}

/** What goes on in a server at this moment, and how many it turned away since it started. */
export interface Gauges {
  callsUnderWay: () => number
  requestsShed: () => number
  paymentsWaiting: () => number
  streams: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    counters: TransactionCounters
    gauges: Gauges
    /** Settles payments together; for callers in this process. */
    settlement: SettlementQueue
  }
  interface FastifyRequest {
    /** Of a request that calls procedures. */
    attempts: RetryLog | null
  }
}

/** The whole server on Fastify, not yet listening. Closing it leaves `db` open: it belongs to the caller. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { db, config, logger, now = () => new Date(), router = appRouter } = options
  const limits = { ...LIMITS, ...options.limits }
  const overload = new LoadShedding({ limits, corsOrigins: config.corsOrigins, requestIdOf: genReqId, log: logger })
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new RequestLog({ requestIdLogLabel: 'requestId' }),
    genReqId,
    trustProxy: config.trustProxy > 0 && ((_address, hop) => hop < config.trustProxy),
    bodyLimit: BODY_BYTES_MAX,
    serverFactory: (handle) => boundedServer(handle, limits, overload),
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_LENGTH_MAX },
    frameworkErrors: sendUnroutedError,
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler(sendNotFound)
  const headers = securityHeaders()
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id)
    done()
  })
  await app.register(cors, {
    origin: config.corsOrigins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'last-event-id', 'trpc-accept', 'x-request-id'],
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: PREFLIGHT_SECONDS,
  })
  // After CORS, so that a browser may read why it is turned away.
  const isClosing = drainOnClose(app)
  app.addHook('onListen', async () => overload.begin())
  app.addHook('onClose', async () => overload.close())
  mountHealth(app, { db, isClosing })
  mountOpenapi(app)
  if (config.storefront) {
    // A large script and a page, which nobody loads who does not show them.
    await (await import('./http/web/api-reference.ts')).mountReference(app)
    await (await import('./http/web/storefront.ts')).mountStorefront(app, options.storefront)
  }

  const authenticate = createAuthenticate(config.tokens, {
    now,
    onFailure: (error) => app.log.warn({ err: error }, 'the key set could not be fetched'),
  })
  const consumeRateLimit = createConsumeRateLimit(config.rateLimit)
  const productListCache = new ProductListCache(db, { ttlSeconds: config.rankingsTtlSeconds, now })
  const settlement = new SettlementQueue(db)
  const audit = new AuditRunner(db)
  const subscriptions = new SubscriptionHub(db, {
    ...(config.streams && { limits: config.streams }),
    onWarning: (message, details) => app.log.warn(details, message),
  })
  app.addHook('preClose', async () => subscriptions.close())
  const userExistenceCache = new UserExistenceCache(db, {
    ttlSeconds: options.userExistenceTtlSeconds ?? DIRECTORY_TTL_SECONDS,
  })
  app.decorate('counters', newTransactionCounters())
  app.decorate('settlement', settlement)
  app.decorate('gauges', {
    callsUnderWay: () => overload.underWay,
    requestsShed: () => overload.shed,
    paymentsWaiting: () => settlement.pendingCount,
    streams: () => subscriptions.size,
  })
  app.decorateRequest('attempts', null)
  mountTrpc(app, { router, overload }, (request, reply): Context => {
    const attempts = new RetryLog(app.counters)
    // Of a connection that was reset nobody knows any more where it came from: those count as one.
    const address = request.ip ?? 'gone'
    request.attempts = attempts
    let identity: ReturnType<Context['authenticate']> | undefined
    return {
      db,
      transact: transactOn(db, attempts.record),
      onFailedAttempt: attempts.record,
      now,
      settlement,
      audit,
      productListCache,
      userExistenceCache,
      subscriptions,
      address,
      destroyConnection: () => reply.raw.destroy(),
      requestId: request.id,
      authenticate: () => (identity ??= authenticate(request.headers.authorization)),
      consumeRateLimit: async (caller) => consumeRateLimit('userId' in caller ? caller : { address }),
    }
  })
  return app
}

/** A request id that a proxy gave is kept if it looks like one. */
function genReqId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : randomUUID()
}
