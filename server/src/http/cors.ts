import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'

const PREFLIGHT_MAX_AGE_SECONDS = 600
const METHODS = 'GET, POST'
const EXPOSED_HEADERS = 'retry-after, server-time, x-request-id'
/** The request headers that the API reads. */
const API_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'last-event-id',
  'request-deadline',
  'trpc-accept',
  'x-request-id',
] as const

export interface CorsOptions {
  /** The origins whose pages may call the server. */
  origins: readonly string[]
  /** The request headers that these pages may send, in addition to those that the API reads. */
  headers: readonly string[]
}

/** Lets pages of some origins call the server and read its responses. Cookies are never allowed. */
export class Cors {
  readonly #origins: ReadonlySet<string>
  readonly #allowedHeaders: string

  constructor({ origins, headers }: CorsOptions) {
    this.#origins = new Set(origins)
    this.#allowedHeaders = [...API_HEADERS, ...headers].join(', ')
  }

  /** The headers of every response to a request with this `Origin`. */
  responseHeaders(origin: string | undefined): OutgoingHttpHeaders {
    return { vary: 'Origin', ...(this.#isAllowed(origin) && readableBy(origin)) }
  }

  /**
   * The headers of the response to a request whose headers could not be read. Pages of every origin may read it, because the
   * response depends on nothing that the server knows.
   */
  unknownOriginHeaders(): Record<string, string> {
    return this.#origins.size > 0 ? readableBy('*') : {}
  }

  /** The headers of the response to an OPTIONS request. */
  preflightHeaders(origin: string | undefined): OutgoingHttpHeaders {
    if (!this.#isAllowed(origin)) return {}
    return {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': this.#allowedHeaders,
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_SECONDS),
    }
  }

  #isAllowed(origin: string | undefined): origin is string {
    return origin !== undefined && this.#origins.has(origin)
  }
}

const readableBy = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': EXPOSED_HEADERS,
})

/** Answers every OPTIONS request: a CORS preflight, or a request for the allowed methods. */
export function answerPreflights(app: FastifyInstance, cors: Cors): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.method !== 'OPTIONS') return done()
    reply
      .code(204)
      .headers({ allow: `${METHODS}, OPTIONS`, ...cors.preflightHeaders(request.headers.origin) })
      .send()
  })
}
