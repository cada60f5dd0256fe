import { Deadline, type Pool, type Replica } from '@pointwise/db'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticate } from '../../auth/authenticate.ts'
import { clientNetwork } from '../../auth/client-address.ts'
import type { ConsumeRateLimit } from '../../auth/rate-limit.ts'
import type { Context } from '../../rpc/context.ts'
import { transactOn } from '../../rpc/transactions.ts'
import type { RecentWriters } from '../recent-writers.ts'

/** What all calls of a server share. */
export interface SharedContext
  extends Pick<Context, 'now' | 'settlement' | 'audit' | 'productListCache' | 'userExistenceCache' | 'subscriptions'> {
  db: Pool
  /** Answers reads that may be some seconds old; undefined: `db` does. */
  replica: Replica | undefined
  /** Undefined without a replica. */
  recentWriters: RecentWriters | undefined
  authenticate: Authenticate
  consumeRateLimit: ConsumeRateLimit
}

export type CreateContext = (request: FastifyRequest, reply: FastifyReply) => Context

/** Returns the function that creates the context of each request. A token is verified at most once a request. */
export function contextCreator(options: SharedContext): CreateContext {
  const { db, replica, recentWriters, authenticate, consumeRateLimit, ...shared } = options
  return (request, reply) => {
    const { callLog } = request
    const network = clientNetwork(request.ip)
    const { 'idempotency-key': idempotencyKeyHeader } = request.headers
    const onFailedAttempt = callLog?.attempts.record
    const { deadline, malformedHeader } = readDeadline(request)
    // The header proves to a client that a call was decided after this time. The response to a mutation has it only if the deadline
    // arrived: a proxy may have removed it.
    if (deadline || request.method === 'GET') reply.header('server-time', Date.now())
    const readsPrimary = request.headers['read-from'] === 'primary' || recentWriters?.has(network)
    let identity: ReturnType<Authenticate> | undefined
    const authenticateOnce = async () => {
      const authenticated = await authenticate(request.headers.authorization, (reason) =>
        request.log.debug({ reason }, 'token refused'),
      )
      callLog?.recordCaller(authenticated)
      return authenticated
    }
    return {
      ...shared,
      db,
      readReplica: (work) => (replica && !readsPrimary ? replica.read(work) : work(db)),
      deadline,
      malformedHeader,
      transact: transactOn(db, { deadline, onFailedAttempt }),
      onFailedAttempt,
      network,
      destroyConnection: () => reply.raw.destroy(),
      requestId: request.id,
      traceparent: readTraceparent(request),
      // Node joins the values of a header that is sent twice, which makes the key invalid.
      idempotencyKeyHeader: idempotencyKeyHeader?.toString(),
      authenticate: () => (identity ??= authenticateOnce()),
      consumeRateLimit: async (caller) => consumeRateLimit('userId' in caller ? caller : { network }),
    }
  }
}

/** Reads the header `Request-Deadline`: milliseconds since the Unix epoch. */
function readDeadline({ headers }: FastifyRequest): Pick<Context, 'deadline' | 'malformedHeader'> {
  const text = headers['request-deadline']
  if (text === undefined) return { deadline: undefined, malformedHeader: undefined }
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) {
    return { deadline: new Deadline(Number(text)), malformedHeader: undefined }
  }
  const malformedHeader =
    'The header Request-Deadline is malformed. Send one whole number: the milliseconds since the Unix epoch.'
  return { deadline: undefined, malformedHeader }
}

/** Version 00 of the header `traceparent`. Neither the trace id nor the parent id consists of zeros only. */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/

/** Reads the header `traceparent` of W3C Trace Context, which demands that a malformed one is ignored. */
function readTraceparent({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined
}
