import { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { isRetryable } from './retryable-mutations.ts'

/**
 * A mutation was sent, but it is unknown whether it took effect: the connection was lost, the response did not arrive in
 * time or could not be read, the server itself does not know the outcome, or the caller aborted the call.
 *
 * To find out, make the same call again with the same `idempotencyKey`. If the first call took effect, the second returns
 * its result (with `replayed: true`, except for `products.restock`); otherwise the second call takes effect now.
 * `payments.pay` and `payments.refund` can be repeated without a key. For any other call, read the affected data before you
 * repeat it.
 */
export class OutcomeUnknownError extends TRPCClientError<AppRouter> {
  override readonly name = 'OutcomeUnknownError'
  /** The procedure, such as `orders.checkout`. */
  readonly path: string
  /** The key that every attempt was sent with; undefined if the procedure does not accept one. */
  readonly idempotencyKey: string | undefined
  /** The last refusal, if an attempt was refused but not decided, or the error of the last attempt. */
  declare readonly cause: TRPCClientError<AppRouter>

  constructor(path: string, { idempotencyKey, cause }: Pick<OutcomeUnknownError, 'idempotencyKey' | 'cause'>) {
    super(`It is unknown whether ${path} took effect. ${nextStep(path, idempotencyKey)}`, { cause })
    // The constructor of TRPCClientError sets the prototype of every instance to its own.
    Object.setPrototypeOf(this, new.target.prototype)
    this.path = path
    this.idempotencyKey = idempotencyKey
  }
}

function nextStep(path: string, idempotencyKey: string | undefined): string {
  if (!isRetryable(path, idempotencyKey)) return 'Read the affected data before you repeat the call.'
  return `To find out, repeat the call${idempotencyKey === undefined ? '' : ' with the same idempotency key'}.`
}
