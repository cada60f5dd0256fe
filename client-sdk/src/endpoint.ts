import { ServerClock } from './server-clock.ts'
import { UndecidedAttempts } from './undecided-attempts.ts'

/** What is known about a server. All clients of this process that have the same URL share it. */
export interface Endpoint {
  /** The URL under which the procedures are. */
  readonly url: string
  readonly clock: ServerClock
  readonly undecidedAttempts: UndecidedAttempts
}

const endpoints = new Map<string, Endpoint>()

/** @throws TypeError if `baseUrl` is not an http or https URL */
export function endpointAt(baseUrl: string | URL): Endpoint {
  const url = endpointUrl(baseUrl)
  const endpoint = endpoints.get(url) ?? {
    url,
    clock: new ServerClock(),
    undecidedAttempts: new UndecidedAttempts(),
  }
  endpoints.set(url, endpoint)
  return endpoint
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
