import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import { BUSY_AFTER_MS } from '../refusals.ts'
import { errorBody, hasUnreadBody, sendBusy } from './error-responses.ts'

const TICK_MS = 100
const TELL_MS = 1_000
const ID = 'the request id'

export interface LoadLimits {
  /** How many procedure calls may be under way at once. */
  concurrentCallsMax: number
  /** How late the event loop may be. */
  eventLoopDelayMaxMs: number
}

export interface LoadSheddingOptions {
  limits: LoadLimits
  corsOrigins: readonly string[]
  requestIdOf: (request: IncomingMessage) => string
  log: FastifyBaseLogger
}

/**
 * Sheds load: while the event loop is late, or as many calls are under way as can be served in time, a procedure request
 * is answered with service_busy before it is read. That has to cost next to nothing, or those who are turned away and
 * ask again take the time of those who are served: Fastify, and a line in the log for each, come after it.
 */
export class LoadShedding {
  readonly #options: LoadSheddingOptions
  readonly #tick: NodeJS.Timeout
  readonly #body = errorBody(503, ID).split(ID)
  #underWay = 0
  #tickedAt = performance.now()
  #lateMs = 0
  #shed = 0
  #shedTold = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(options: LoadSheddingOptions) {
    this.#options = options
    this.#tick = setInterval(() => this.#look(), TICK_MS).unref()
  }

  /** How many procedure calls are under way. */
  get underWay(): number {
    return this.#underWay
  }

  /** How many requests were answered because there was no time for them, since the server started. */
  get shed(): number {
    return this.#shed
  }

  /** What made the process late before it listened, such as loading it, is not load. */
  begin(): void {
    this.#tickedAt = performance.now()
    this.#lateMs = 0
  }

  close(): void {
    clearInterval(this.#tick)
    this.#tell()
  }

  /** Whether a request was answered because there is no time for it. */
  shedIfOverloaded(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '', method, headers } = request
    if (!this.#isOverloaded() || !url.startsWith('/trpc/') || method === 'OPTIONS') return false
    this.#shed++
    const id = this.#options.requestIdOf(request)
    const body = this.#body.join(id)
    const { origin } = headers
    response.writeHead(503, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'retry-after': String(Math.ceil(BUSY_AFTER_MS / 1_000)),
      'x-request-id': id,
      'x-content-type-options': 'nosniff',
      vary: 'Origin',
      // So that a browser may read why it is turned away.
      ...(origin !== undefined &&
        this.#options.corsOrigins.includes(origin) && {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'retry-after, x-request-id',
        }),
      ...(hasUnreadBody(request) && { connection: 'close' }),
    })
    response.end(body)
    return true
  }

  /**
   * Runs the procedure calls of a request; if they are too many it answers the request, and is undefined. `work` may say
   * that they are `done` before it ends: what is left then is for the client to read, however slowly.
   */
  async run<T>(calls: number, reply: FastifyReply, work: (done: () => void) => Promise<T>): Promise<T | undefined> {
    if (this.#underWay + calls > this.#options.limits.concurrentCallsMax) {
      sendBusy(reply.request, reply)
      return undefined
    }
    let left = calls
    const done = () => {
      this.#underWay -= left
      left = 0
    }
    this.#underWay += calls
    try {
      return await work(done)
    } finally {
      done()
    }
  }

  #isOverloaded(): boolean {
    const { concurrentCallsMax, eventLoopDelayMaxMs } = this.#options.limits
    // The last tick may have been in time, and this turn of the loop already be too long.
    const lateMs = Math.max(this.#lateMs, performance.now() - this.#tickedAt - TICK_MS)
    return this.#underWay >= concurrentCallsMax || lateMs > eventLoopDelayMaxMs
  }

  #look(): void {
    const now = performance.now()
    this.#lateMs = now - this.#tickedAt - TICK_MS
    this.#tickedAt = now
    if (now - this.#toldAt > TELL_MS) this.#tell()
  }

  #tell(): void {
    const requests = this.#shed - this.#shedTold
    if (requests === 0) return
    this.#options.log.warn({ requests, underWay: this.#underWay }, 'load was shed')
    this.#shedTold = this.#shed
    this.#toldAt = performance.now()
  }
}
