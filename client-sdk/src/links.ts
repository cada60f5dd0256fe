import { httpBatchLink, httpLink, splitLink, type TRPCLink } from '@trpc/client'
import superjson from 'superjson'
import type { AppRouter } from './app-router.ts'
import type { ClientOptions } from './client.ts'
import { idempotencyLink } from './idempotency-link.ts'
import { fetchResponse } from './response.ts'
import { type RetryPolicy, retryLink } from './retry-link.ts'
import { subscriptionLink } from './subscription-link.ts'

/** The server takes no more calls in one request. */
const BATCH_MAX = 20

/** Well below what proxies and servers take for a request line. */
const URL_LENGTH_MAX = 4_000

/** What every call goes through, first to last; the key is chosen before the first try, so that all tries share it. */
export function links(options: ClientOptions, patience?: RetryPolicy): TRPCLink<AppRouter>[] {
  const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const server = { url: endpoint(options.url), headers: () => headers(options) }
  const http = { ...server, transformer: superjson, fetch: fetchResponse(fetch) }
  return [
    splitLink({
      condition: ({ type }) => type === 'subscription',
      true: subscriptionLink({ ...server, fetch }),
      false: [
        idempotencyLink,
        retryLink(patience),
        splitLink({
          condition: ({ type }) => type === 'mutation',
          true: httpLink(http),
          false: httpBatchLink({ ...http, maxItems: BATCH_MAX, maxURLLength: URL_LENGTH_MAX }),
        }),
      ],
    }),
  ]
}

function endpoint(url: string | URL): string {
  const { protocol, origin, pathname } = new URL(url, globalThis.location?.href)
  if (!/^https?:$/.test(protocol)) throw new TypeError(`createClient: ${url} is not an http address.`)
  return `${origin}${pathname.replace(/\/+$/, '')}/trpc`
}

async function headers({ token, headers }: ClientOptions): Promise<Headers> {
  const all = new Headers(typeof headers === 'function' ? await headers() : headers)
  const bearer = typeof token === 'function' ? await token() : token
  if (bearer) all.set('authorization', `Bearer ${bearer}`)
  return all
}
