import { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'

/**
 * A mutation was sent, and whether it took effect is not known: the connection was lost, no answer came in time, the
 * answer could not be read, the server could not tell, or the caller aborted the call while it was under way.
 *
 * To find out, make the same call again with `idempotencyKey`: what took effect is returned (by all but
 * `products.restock` with `replayed: true`), what did not takes effect now. `payments.pay` and `payments.refund` need no key
 * for that. Any other call has to be looked up first.
 */
export class OutcomeUnknownError extends TRPCClientError<AppRouter> {
  override readonly name = 'OutcomeUnknownError'
  /** The procedure: `orders.checkout`. */
  readonly path: string
  /** The key that every try was sent with; undefined for a call that takes none. */
  readonly idempotencyKey: string | undefined
  /** How the last try ended, with what the server said, if it said something. */
  declare readonly cause: TRPCClientError<AppRouter>

  constructor(path: string, { idempotencyKey, cause }: Pick<OutcomeUnknownError, 'idempotencyKey' | 'cause'>) {
    super(`Whether ${path} took effect is not known.`, { cause })
    // The constructor of tRPC's error makes every instance one of its own class.
    Object.setPrototypeOf(this, new.target.prototype)
    this.path = path
    this.idempotencyKey = idempotencyKey
  }
}
