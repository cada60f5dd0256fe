import { httpBatchLink, httpLink, type Operation, splitLink, type TRPCLink } from '@trpc/client'
import superjson from 'superjson'
import type { AppRouter } from './app-router.ts'
import { markSent } from './attempt.ts'
import { type ClientOptions, timeouts } from './client-options.ts'
import { endpointAt } from './endpoint.ts'
import { idempotencyLink } from './idempotency-link.ts'
import { requestHeaders, requestHeadersWithin } from './request-headers.ts'
import { fetchResponse } from './response.ts'
import { RETRY_POLICY, type RetryPolicy, retryLink } from './retry-link.ts'
import { subscriptionLink } from './subscription-link.ts'

/** The server rejects requests with more calls. */
const BATCH_SIZE_MAX = 20

/** Well below the request-line limits of common proxies and servers. */
const URL_LENGTH_MAX = 4_000

/**
 * The links that a call passes through, in order. The idempotency key is added before the retry link, so that all attempts
 * of a call share it.
 *
 * @throws TypeError if `options.url` is not an http or https URL, or a timeout is not a number of milliseconds
 */
export function links(options: ClientOptions, retryPolicy?: Partial<RetryPolicy>): TRPCLink<AppRouter>[] {
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const policy = { ...RETRY_POLICY, ...timeouts(options), ...retryPolicy }
  const endpoint = endpointAt(options.url)
  const { url, clock } = endpoint
  const http = { url, transformer: superjson, fetch: fetchResponse(fetch, clock) }
  const headersFor = async (ops: readonly Operation[]) => markSent(ops, await requestHeaders(options))
  return [
    splitLink({
      condition: ({ type }) => type === 'subscription',
      true: subscriptionLink({
        url,
        fetch,
        headers: (signal) => requestHeadersWithin(options, { timeoutMs: policy.timeoutMs, signal }),
      }),
      false: [
        idempotencyLink,
        retryLink(policy, endpoint),
        splitLink({
          condition: ({ type }) => type === 'mutation',
          true: httpLink({ ...http, headers: ({ op }) => headersFor([op]) }),
          false: httpBatchLink({
            ...http,
            headers: ({ opList }) => headersFor(opList),
            maxItems: BATCH_SIZE_MAX,
            maxURLLength: URL_LENGTH_MAX,
          }),
        }),
      ],
    }),
  ]
}
