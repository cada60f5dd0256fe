import { type Pool, pendingMigrations } from '@pointwise/db'
import type { FastifyInstance } from 'fastify'

const DATABASE_TIMEOUT_MS = 2_000
/** How long the result of a readiness check is used. */
const RESULT_TTL_MS = 1_000
const HEALTH_CHECK = /^\/(livez|readyz)(\?|$)/

/** Whether this is the URL of a health check, in the form in which load balancers send it. */
export const isHealthCheck = (url: string) => HEALTH_CHECK.test(url)

export type UnreadyReason = 'starting' | 'closing'

interface HealthOptions {
  /** The pool of the calls. */
  db: Pool
  /** The pool of the readiness checks. */
  readinessDb: Pool
  /** Whether the server is closing. */
  isClosing: () => boolean
  /** Why the process that hosts the server is not ready; undefined when it is. */
  unreadyReason: () => UnreadyReason | undefined
}

/**
 * Serves `/livez`, which succeeds while the process answers, and `/readyz`, which succeeds while the server can serve calls:
 * the database is reachable and migrated and accepts the server's account, and neither the server nor the process that hosts it
 * is starting or closing. However many callers there are, one check of the database is in progress at a time, and its result is
 * used for one second.
 */
export function mountHealth(app: FastifyInstance, options: HealthOptions): void {
  const { db, readinessDb, isClosing, unreadyReason } = options
  const checkDatabase = shared(() =>
    databaseProblem(db, readinessDb).catch((error) => {
      app.log.warn({ err: error }, 'the readiness check failed')
      return 'database unreachable'
    }),
  )
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const problem = (isClosing() ? 'closing' : unreadyReason()) ?? (await checkDatabase())
    return problem ? reply.code(503).send({ status: 'unavailable', problem }) : { status: 'ok' }
  })
}

/** Returns a function that shares one call of `check` among its callers, until `RESULT_TTL_MS` after the call has ended. */
function shared<T>(check: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  let endedAt = 0
  return () => {
    if (!result || performance.now() - endedAt >= RESULT_TTL_MS) {
      endedAt = Number.POSITIVE_INFINITY
      result = check().finally(() => {
        endedAt = performance.now()
      })
    }
    return result
  }
}

async function databaseProblem(db: Pool, readinessDb: Pool): Promise<string | null> {
  // A connection that was opened before would still respond.
  if (db.accessError ?? readinessDb.accessError) return 'database access denied'
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => deadline.reject(new Error(`The database did not answer within ${DATABASE_TIMEOUT_MS} ms.`)),
    DATABASE_TIMEOUT_MS,
  )
  try {
    const pending = await Promise.race([pendingMigrations(readinessDb), deadline.promise])
    return pending.length > 0 ? 'migrations pending' : null
  } finally {
    clearTimeout(timer)
  }
}
