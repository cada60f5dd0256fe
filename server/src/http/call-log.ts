import type { TRPCError } from '@trpc/server'
import type { Identity } from '../auth/authenticate.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { RetryLog, type TransactionCounters } from '../rpc/transactions.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null for a request that Fastify rejects before its first hook. */
    callLog: CallLog | null
  }
}

/** Records what the procedure calls of one request did, for its log line and its metric. */
export class CallLog {
  readonly attempts: RetryLog
  /** The codes by error, because tRPC's adapter reports the error of a stream twice. */
  readonly #refusals = new Map<Error, RefusalCode>()
  #identity: Identity | undefined

  constructor(counters: TransactionCounters) {
    this.attempts = new RetryLog(counters)
  }

  /** The first refusal of the request. */
  get refusal(): RefusalCode | undefined {
    const [first] = this.#refusals.values()
    return first
  }

  recordCaller(identity: Identity): void {
    this.#identity = identity
  }

  /** Records a refusal of the whole request. */
  recordRefusal(refusal: Refusal): void {
    this.#refusals.set(refusal, refusal.refusal.code)
  }

  /** Records the refusal that a failed call was answered with. An undeclared refusal is an internal error, and not recorded. */
  recordFailure(error: TRPCError): void {
    const { code, cause } = error
    if (code !== 'INTERNAL_SERVER_ERROR' && cause instanceof Refusal) this.#refusals.set(error, cause.refusal.code)
  }

  /**
   * `caller` is `anonymous` when no token was verified. `refusal` is the code, or the list of codes when several calls of a
   * batch were refused.
   */
  toLogFields() {
    const { admin, userId } = this.#identity ?? {}
    const codes = [...this.#refusals.values()]
    return {
      caller: this.#identity === undefined ? 'anonymous' : admin ? 'admin' : 'user',
      ...(userId !== undefined && { userId }),
      ...(codes.length > 0 && { refusal: codes.length === 1 ? codes[0] : codes }),
      ...this.attempts.toLogFields(),
    }
  }
}
