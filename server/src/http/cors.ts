import type { OutgoingHttpHeaders } from 'node:http'
import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

const PREFLIGHT_MAX_AGE_SECONDS = 600
const METHODS = ['GET', 'POST']
const EXPOSED_HEADERS = ['retry-after', 'server-time', 'x-request-id']
/** The request headers that the API reads, except `traceparent`, which the default of `CORS_HEADERS` contains. */
const API_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'last-event-id',
  'read-from',
  'request-deadline',
  'trpc-accept',
  'x-request-id',
]

export interface CorsOptions {
  /** The origins whose pages may call the server. */
  origins: readonly string[]
  /** The request headers that these pages may send, in addition to those that the API reads. */
  headers: readonly string[]
}

/**
 * Lets pages of these origins call the server and read its responses. Every OPTIONS request is answered: a preflight, or a
 * request for the allowed methods. Cookies are never allowed.
 */
export async function registerCors(app: FastifyInstance, { origins, headers }: CorsOptions): Promise<void> {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.method === 'OPTIONS') reply.header('allow', [...METHODS, 'OPTIONS'].join(', '))
    done()
  })
  await app.register(fastifyCors, {
    origin: [...origins],
    methods: METHODS,
    allowedHeaders: [...API_HEADERS, ...headers],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    strictPreflight: false,
  })
}

/**
 * The CORS headers of responses that are sent before the hooks of Fastify run: to requests that are shed, and to requests that
 * cannot be parsed or routed.
 */
export class UnroutedCors {
  readonly #origins: ReadonlySet<string>

  constructor({ origins }: Pick<CorsOptions, 'origins'>) {
    this.#origins = new Set(origins)
  }

  /** The headers of the response to a request with this `Origin`. */
  headersFor(origin: string | undefined): OutgoingHttpHeaders {
    return { vary: 'Origin', ...(origin !== undefined && this.#origins.has(origin) && readableBy(origin)) }
  }

  /**
   * The headers of the response to a request whose headers could not be read. Pages of every origin may read it, because the
   * response depends on nothing that the server knows.
   */
  headersForUnknownOrigin(): OutgoingHttpHeaders {
    return this.#origins.size > 0 ? readableBy('*') : {}
  }
}

const readableBy = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': EXPOSED_HEADERS.join(', '),
})
