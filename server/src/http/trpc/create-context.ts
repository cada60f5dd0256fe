import type { Pool } from '@pointwise/db'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { ConsumeRateLimit } from '../../auth/rate-limit.ts'
import type { Context } from '../../rpc/context.ts'
import { transactOn } from '../../rpc/transactions.ts'

/** What all calls of a server share. */
export interface SharedContext
  extends Pick<Context, 'now' | 'settlement' | 'audit' | 'productListCache' | 'userExistenceCache' | 'subscriptions'> {
  db: Pool
  authenticate: Authenticate
  consumeRateLimit: ConsumeRateLimit
}

export type CreateContext = (request: FastifyRequest, reply: FastifyReply) => Context

/** A reset connection has no remote address. All such calls share one rate-limit key. */
const NO_ADDRESS = 'no address'

/** Returns the function that creates the context of each request. A token is verified at most once a request. */
export function contextCreator({ db, authenticate, consumeRateLimit, ...shared }: SharedContext): CreateContext {
  return (request, reply) => {
    const { callLog } = request
    const address = request.ip ?? NO_ADDRESS
    let identity: ReturnType<Authenticate> | undefined
    const authenticateOnce = async () => {
      const authenticated = await authenticate(request.headers.authorization)
      callLog?.recordCaller(authenticated)
      return authenticated
    }
    return {
      ...shared,
      db,
      transact: transactOn(db, callLog?.attempts.record),
      onFailedAttempt: callLog?.attempts.record,
      address,
      destroyConnection: () => reply.raw.destroy(),
      requestId: request.id,
      authenticate: () => (identity ??= authenticateOnce()),
      consumeRateLimit: async (caller) => consumeRateLimit('userId' in caller ? caller : { address }),
    }
  }
}
