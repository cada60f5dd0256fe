import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import type { UnroutedCors } from './cors.ts'
import { hasUnreadBody, sendServiceBusy, serviceBusyResponse } from './error-responses.ts'
import { isHealthCheck } from './health.ts'

const TICK_MS = 100
const LOG_INTERVAL_MS = 1_000

export interface LoadLimits {
  /** How many procedure calls can be in progress at once. */
  concurrentCallsMax: number
  /** How late the event loop can be before requests are shed. */
  eventLoopDelayMaxMs: number
}

export const LOAD_LIMITS: LoadLimits = {
  // Two seconds of work for a server that handles 1,000 calls a second.
  concurrentCallsMax: 2_000,
  eventLoopDelayMaxMs: 500,
}

export interface LoadSheddingOptions {
  limits: LoadLimits
  cors: UnroutedCors
  requestIdOf: (request: IncomingMessage) => string
  log: FastifyBaseLogger
}

/**
 * Sheds load: while the event loop is late, or the maximum number of calls is in progress, requests are refused with
 * service_busy before they are read, except health checks and CORS preflights. All others, because a URL can be written in many
 * ways, and only the router knows which of them reach a procedure. Refusing must cost much less than serving, because refused clients retry.
 * Therefore it happens before Fastify, and the log has one line a second instead of one line a request.
 */
export class LoadShedding {
  readonly #options: LoadSheddingOptions
  readonly #timer: NodeJS.Timeout
  #callsInProgress = 0
  #tickedAt = performance.now()
  #delayMs = 0
  #requestsShed = 0
  #requestsLogged = 0
  #loggedAt = Number.NEGATIVE_INFINITY

  constructor(options: LoadSheddingOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** The number of procedure calls in progress. */
  get callsInProgress(): number {
    return this.#callsInProgress
  }

  /** The number of requests that were shed since the server started. */
  get requestsShed(): number {
    return this.#requestsShed
  }

  /** Starts to measure the event loop. Delays before the server listens, such as loading modules, are not load. */
  begin(): void {
    this.#tickedAt = performance.now()
    this.#delayMs = 0
  }

  close(): void {
    clearInterval(this.#timer)
    this.#logShedRequests()
  }

  /** Refuses the request with service_busy if the server is overloaded. Returns whether it did. */
  shedIfOverloaded(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '', method } = request
    if (!this.#isOverloaded() || method === 'OPTIONS' || isHealthCheck(url)) return false
    this.#requestsShed++
    const busy = serviceBusyResponse(this.#options.requestIdOf(request))
    response.writeHead(503, {
      ...busy.headers,
      ...this.#options.cors.headersFor(request.headers.origin),
      'content-length': Buffer.byteLength(busy.body),
      'x-content-type-options': 'nosniff',
      ...(hasUnreadBody(request) && { connection: 'close' }),
    })
    response.end(busy.body)
    return true
  }

  /**
   * Runs the procedure calls of a request, and counts them as in progress until `work` resolves or calls `release`. A
   * response that is streamed calls `release` when it begins, because its duration depends on the client. When there would
   * be too many calls, the request is refused with service_busy, and the result is undefined.
   */
  async run<T>(calls: number, reply: FastifyReply, work: (release: () => void) => Promise<T>): Promise<T | undefined> {
    if (this.#callsInProgress + calls > this.#options.limits.concurrentCallsMax) {
      sendServiceBusy(reply.request, reply)
      return undefined
    }
    let counted = calls
    const release = () => {
      this.#callsInProgress -= counted
      counted = 0
    }
    this.#callsInProgress += calls
    try {
      return await work(release)
    } finally {
      release()
    }
  }

  #isOverloaded(): boolean {
    const { concurrentCallsMax, eventLoopDelayMaxMs } = this.#options.limits
    // The delay of the current turn counts too: the timer measures it only when the turn has ended.
    const delayMs = Math.max(this.#delayMs, performance.now() - this.#tickedAt - TICK_MS)
    return this.#callsInProgress >= concurrentCallsMax || delayMs > eventLoopDelayMaxMs
  }

  #tick(): void {
    const now = performance.now()
    this.#delayMs = now - this.#tickedAt - TICK_MS
    this.#tickedAt = now
    if (now - this.#loggedAt > LOG_INTERVAL_MS) this.#logShedRequests()
  }

  #logShedRequests(): void {
    const requests = this.#requestsShed - this.#requestsLogged
    if (requests === 0) return
    this.#options.log.warn({ requests, callsInProgress: this.#callsInProgress }, 'requests were shed')
    this.#requestsLogged = this.#requestsShed
    this.#loggedAt = performance.now()
  }
}
