import { randomUUID } from 'node:crypto'
import type { Pool } from '@pointwise/db'
import { AuditRunner } from './audit/service.ts'
import { SettlementQueue } from './payments/settlement/queue.ts'
import { ProductListCache } from './products/product-list-cache.ts'
import { Refusal } from './refusals.ts'
import { appRouter } from './router.ts'
import { createCallerFactory } from './rpc/init.ts'
import { transactOn } from './rpc/transactions.ts'
import { SubscriptionHub } from './subscriptions/hub.ts'
import { UserExistenceCache } from './users/user-existence-cache.ts'

const createRouterCaller = createCallerFactory(appRouter)

export interface CallerOptions {
  db: Pool
  /** The user who calls. */
  userId?: number
  /** Whether an admin calls. */
  admin?: boolean
  /** The queue that settles payments. Callers that share a queue share its batches. Defaults to a queue of its own. */
  settlement?: SettlementQueue
  /** The clock. Defaults to the system clock. */
  now?: () => Date
}

/**
 * Creates a caller that executes procedures in the current process, for test suites: with the same inputs, rules and
 * transactions as over HTTP, on `db`, which must be migrated. Without `userId` and `admin`, calls are anonymous. Nothing is
 * rate limited or cached. A refusal is thrown as a TRPCError; `refusalOf` of the SDK returns the refusal.
 */
export function createCaller({
  db,
  userId,
  admin = false,
  now = () => new Date(),
  settlement = new SettlementQueue(db),
}: CallerOptions) {
  return createRouterCaller({
    db,
    readReplica: (work) => work(db),
    deadline: undefined,
    malformedHeader: undefined,
    transact: transactOn(db),
    now,
    settlement,
    audit: new AuditRunner((work) => work(db)),
    productListCache: new ProductListCache(db, { ttlSeconds: 0, now }),
    userExistenceCache: new UserExistenceCache(db, { ttlSeconds: 0 }),
    subscriptions: new SubscriptionHub(db),
    network: '127.0.0.1',
    destroyConnection: undefined,
    requestId: randomUUID(),
    traceparent: undefined,
    consumeRateLimit: async () => undefined,
    authenticate: async () => {
      if (userId === undefined && !admin) throw new Refusal('token_missing')
      return { userId, admin }
    },
  })
}
