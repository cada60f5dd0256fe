import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { links } from './links.ts'

/** How the client reaches the server, and for whom. */
export interface ClientOptions {
  /** The server's base URL, such as `https://shop.example`; the client adds `/trpc`. */
  url: string | URL
  /** A token, or where to get it from: a function is asked for every request. Public calls need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** Used in place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined
  /** Headers to send beside the client's own, or a function that is asked for them for every request. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined
}

/**
 * A client that calls the server's procedures, each typed by its input, its answer and its refusals.
 *
 * - Queries of one moment share a request; a mutation has one of its own.
 * - Calls that take an `idempotencyKey` get one where the caller gave none.
 * - A call that was refused only for now (`retry: 'same-key'`) is made again after the time the server named. Where no
 *   answer came, or the server could not tell the outcome, it is made again if that cannot do it twice: queries, calls
 *   with an idempotency key (the same one), `payments.pay` and `payments.refund`. A try lasts 20 seconds at most, and
 *   all of it, at most four tries, 30 seconds.
 * - A mutation of which it is then not known whether it took effect rejects with an `OutcomeUnknownError`, which carries
 *   the key. Everything else that goes wrong rejects with a `TRPCClientError`: see `refusalOf`.
 * - A subscription is followed until it is aborted, or `for await` is left: after a lost connection it goes on behind the
 *   last event it had. Every connection asks for the token again, and sends it in a header.
 * - An aborted call stops at once.
 *
 * @throws TypeError if `url` is not an http address
 */
export function createClient(options: ClientOptions): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({ links: links(options) })
}
