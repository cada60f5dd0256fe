import { httpBatchLink, httpLink, splitLink, type TRPCLink } from '@trpc/client'
import superjson from 'superjson'
import type { AppRouter } from './app-router.ts'
import type { ClientOptions } from './client-options.ts'
import { idempotencyLink } from './idempotency-link.ts'
import { fetchResponse } from './response.ts'
import { type RetryPolicy, retryLink } from './retry-link.ts'
import { subscriptionLink } from './subscription-link.ts'

/** The server rejects requests with more calls. */
const BATCH_SIZE_MAX = 20

/** Well below the request-line limits of common proxies and servers. */
const URL_LENGTH_MAX = 4_000

/**
 * The links that a call passes through, in order. The idempotency key is added before the retry link, so that all attempts
 * of a call share it.
 *
 * @throws TypeError if `options.url` is not an http or https URL
 */
export function links(options: ClientOptions, retryPolicy?: RetryPolicy): TRPCLink<AppRouter>[] {
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const server = { url: endpointUrl(options.url), headers: () => requestHeaders(options) }
  const http = { ...server, transformer: superjson, fetch: fetchResponse(fetch) }
  return [
    splitLink({
      condition: ({ type }) => type === 'subscription',
      true: subscriptionLink({ ...server, fetch }),
      false: [
        idempotencyLink,
        retryLink(retryPolicy),
        splitLink({
          condition: ({ type }) => type === 'mutation',
          true: httpLink(http),
          false: httpBatchLink({ ...http, maxItems: BATCH_SIZE_MAX, maxURLLength: URL_LENGTH_MAX }),
        }),
      ],
    }),
  ]
}

function endpointUrl(baseUrl: string | URL): string {
  const url = parseUrl(baseUrl)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(
      `createClient: "${baseUrl}" is not an http or https URL. Set the option "url" to the base URL of the server, such as "https://shop.example".`,
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/trpc`
}

function parseUrl(url: string | URL): URL | undefined {
  try {
    return new URL(url, globalThis.location?.href)
  } catch {
    return undefined
  }
}

async function requestHeaders({ token, headers }: ClientOptions): Promise<Headers> {
  const result = new Headers(typeof headers === 'function' ? await headers() : headers)
  const accessToken = typeof token === 'function' ? await token() : token
  if (accessToken) result.set('authorization', `Bearer ${accessToken}`)
  return result
}
