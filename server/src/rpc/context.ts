import type { Deadline, FailedAttempt, Reader } from '@pointwise/db'
import type { AuditRunner } from '../audit/service.ts'
import type { Identity } from '../auth/authenticate.ts'
import type { SettlementQueue } from '../payments/settlement/queue.ts'
import type { ProductListCache } from '../products/product-list-cache.ts'
import type { SubscriptionHub } from '../subscriptions/hub.ts'
import type { UserExistenceCache } from '../users/user-existence-cache.ts'
import type { Transact } from './transactions.ts'

/** What a procedure can use, in calls over HTTP and in-process calls. */
export interface Context {
  /** Reads outside a transaction. */
  db: Reader
  /**
   * Runs a read whose result may be some seconds old: on the replica, or on `db` if there is no usable replica or if the client may have
   * written a moment ago.
   */
  readReplica: <T>(work: (db: Reader) => Promise<T>) => Promise<T>
  /** The time after which a mutation must have no effect; undefined if the client sent none. Queries ignore it. */
  deadline: Deadline | undefined
  /** Why a header that only mutations use is malformed. A mutation is answered with status 400 and this message. */
  malformedHeader: string | undefined
  /** Runs the transaction of a procedure that writes, within the deadline. */
  transact: Transact
  /** Called after each failed transaction attempt, including the attempts of a batch that settles this call's payment. */
  onFailedAttempt?: ((failed: FailedAttempt) => void) | undefined
  /** The only clock: every time that is stored or compared comes from it. */
  now: () => Date
  /** Settles concurrent payments in shared transactions. */
  settlement: SettlementQueue
  /** Runs at most one audit at a time. */
  audit: AuditRunner
  productListCache: ProductListCache
  userExistenceCache: UserExistenceCache
  /** Verifies the access token of the call. @throws Refusal token_missing, token_invalid, service_busy */
  authenticate: () => Promise<Identity>
  /** Counts one call against the limit of the client's network or of a user. @throws Refusal rate_limited */
  consumeRateLimit: (caller: { network: true } | { userId: number }) => Promise<void>
  requestId: string
  /** The valid W3C Trace Context of the request; undefined without one, and for in-process calls. */
  traceparent: string | undefined
  /** The value of the header `Idempotency-Key`; undefined without the header, and for in-process calls. */
  idempotencyKeyHeader?: string | undefined
  /** Opens event streams and publishes committed events to them. */
  subscriptions: SubscriptionHub
  /** The network of the client, see `clientNetwork`. */
  network: string
  /** Destroys the connection of a client that does not read its stream; undefined for in-process calls. */
  destroyConnection: (() => void) | undefined
}
