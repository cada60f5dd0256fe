import type { FailedAttempt, Reader } from '@pointwise/db'
import type { AuditRunner } from '../audit/service.ts'
import type { Identity } from '../auth/authenticate.ts'
import type { SettlementQueue } from '../payments/settlement/queue.ts'
import type { ProductListCache } from '../products/product-list-cache.ts'
import type { SubscriptionHub } from '../subscriptions/hub.ts'
import type { UserExistenceCache } from '../users/user-existence-cache.ts'
import type { Transact } from './transactions.ts'

/** What a call has at hand, over HTTP and in-process alike. */
export interface Context {
  /** For reads outside a transaction. */
  db: Reader
  /** Opens the transaction of a procedure that writes. */
  transact: Transact
  /** Told of each attempt that failed, also when payments are settled together. */
  onFailedAttempt?: ((failed: FailedAttempt) => void) | undefined
  /** The one clock: every time that is stored or compared comes from it. */
  now: () => Date
  /** Settles payments together. */
  settlement: SettlementQueue
  /** Runs at most one audit at a time. */
  audit: AuditRunner
  productListCache: ProductListCache
  userExistenceCache: UserExistenceCache
  /** Who calls; @throws Refusal token_missing, token_invalid. */
  authenticate: () => Promise<Identity>
  /** Counts one call against an address or a user; @throws Refusal rate_limited. */
  consumeRateLimit: (caller: { address: true } | { userId: number }) => Promise<void>
  requestId: string
  /** Tells what happens, as it happens. */
  subscriptions: SubscriptionHub
  /** Where the call comes from, for what is counted by address. */
  address: string
  /** Drops the connection to a reader who does not read; undefined where there is none. */
  destroyConnection: (() => void) | undefined
}
