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
  /** Calls as this user. */
  userId?: number
  /** Calls as an admin. */
  admin?: boolean
  /** The queue that settles payments. Callers that share it have their payments settled together; by default each has its own. */
  settlement?: SettlementQueue
  /** The clock; the machine's where none is given. */
  now?: () => Date
}

/**
 * Calls procedures in-process, for the suites of a workspace: the same inputs, rules and transactions as over HTTP, on
 * `db`, which must be migrated. Without `userId` and `admin` it calls as nobody. Nothing is rate limited or cached.
 * A refusal is thrown as a TRPCError whose cause carries it; the SDK's `refusalOf` reads it.
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
    transact: transactOn(db),
    now,
    settlement,
    audit: new AuditRunner(db),
    productListCache: new ProductListCache(db, { ttlSeconds: 0, now }),
    userExistenceCache: new UserExistenceCache(db, { ttlSeconds: 0 }),
    subscriptions: new SubscriptionHub(db),
    address: '127.0.0.1',
    destroyConnection: undefined,
    requestId: randomUUID(),
    consumeRateLimit: async () => undefined,
    authenticate: async () => {
      if (userId === undefined && !admin) throw new Refusal('token_missing')
      return { userId, admin }
    },
  })
}
