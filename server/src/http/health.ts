import { pendingMigrations, type Reader } from '@pointwise/db'
import type { FastifyInstance } from 'fastify'

const DATABASE_TIMEOUT_MS = 2_000

/**
 * Serves `/livez`, which succeeds while the process answers, and `/readyz`, which succeeds while the server can serve calls:
 * the database is reachable and migrated, and the server is not closing.
 */
export function mountHealth(app: FastifyInstance, { db, isClosing }: { db: Reader; isClosing: () => boolean }): void {
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (request, reply) => {
    const problem = isClosing()
      ? 'closing'
      : await databaseProblem(db).catch((error) => {
          request.log.warn({ err: error }, 'the readiness check failed')
          return 'database unreachable'
        })
    return problem ? reply.code(503).send({ status: 'unavailable', problem }) : { status: 'ok' }
  })
}

async function databaseProblem(db: Reader): Promise<string | null> {
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
