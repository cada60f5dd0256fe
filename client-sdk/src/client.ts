import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import type { ClientOptions } from './client-options.ts'
import { links } from './links.ts'

/**
 * Creates a client. Each procedure is typed by its input, its output and its refusals.
 *
 * - Queries that start in the same tick share one request. Each mutation is sent in a request of its own.
 * - A call that accepts an `idempotencyKey` gets a generated one unless the caller passes one.
 * - A call that the server refuses for the moment (`retry: 'same-key'`), or that could not be sent, is retried. A call that gets
 *   no response, or whose outcome the server does not know, is retried only if a repetition is safe: queries, calls with an
 *   idempotency key (with the same key), `payments.pay` and `payments.refund`. An attempt times out after `attemptTimeoutMs`, and
 *   the server does not begin or commit it later. The call ends within `timeoutMs`.
 * - After an attempt whose outcome is unknown, a refusal is final only if the server decided it when the deadline of that attempt
 *   had passed. Until then the client waits and tries again.
 * - If the outcome of a mutation is still unknown at the end, the call rejects with an `OutcomeUnknownError`, which contains the
 *   key. All other failures reject with a `TRPCClientError`; see `refusalOf`.
 * - A subscription runs until it is aborted or its `for await` loop ends. After a lost connection it reconnects and resumes
 *   after the last event it received. Each connection requests the token again and sends it in a header.
 * - Aborting a call stops it immediately.
 *
 * @throws TypeError if `url` is not an http or https URL, or a timeout is not a whole number of milliseconds
 */
export function createClient(options: ClientOptions): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({ links: links(options) })
}
