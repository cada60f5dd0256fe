import { type Pool, pendingMigrations } from '@pointwise/db'
import type { FastifyInstance } from 'fastify'

const DATABASE_TIMEOUT_MS = 2_000

export type UnreadyReason = 'starting' | 'closing'

interface HealthOptions {
  db: Pool
  /** Whether the server is closing. */
  isClosing: () => boolean
  /** Why the process that hosts the server is not ready; undefined when it is. */
  unreadyReason: () => UnreadyReason | undefined
}

/**
 * Serves `/livez`, which succeeds while the process answers, and `/readyz`, which succeeds while the server can serve calls:
 * the database is reachable and migrated and accepts the server's account, and neither the server nor the process that hosts it is starting or closing.
 */
export function mountHealth(app: FastifyInstance, { db, isClosing, unreadyReason }: HealthOptions): void {
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (request, reply) => {
    const problem =
      (isClosing() ? 'closing' : unreadyReason()) ??
      (await databaseProblem(db).catch((error) => {
        request.log.warn({ err: error }, 'the readiness check failed')
        return 'database unreachable'
      }))
    return problem ? reply.code(503).send({ status: 'unavailable', problem }) : { status: 'ok' }
  })
}

async function databaseProblem(db: Pool): Promise<string | null> {
  // A connection that was opened before would still respond.
  if (db.accessError) return 'database access denied'
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => deadline.reject(new Error(`The database did not answer within ${DATABASE_TIMEOUT_MS} ms.`)),
    DATABASE_TIMEOUT_MS,
  )
  try {
    const pending = await Promise.race([pendingMigrations(db), deadline.promise])
    return pending.length > 0 ? 'migrations pending' : null
  } finally {
    clearTimeout(timer)
  }
}
