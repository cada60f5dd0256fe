import { notSent } from './not-sent.ts'
import { type ServerClock, serverTimeOf } from './server-clock.ts'

interface ConnectionErrorOptions {
  cause?: unknown
  mayHaveArrived?: boolean
  isTemporary?: boolean
  retryAfterMs?: number | undefined
}

/**
 * No response of the server could be read: the request could not be sent, the connection was lost, the server sent nothing for too
 * long, or a proxy or another server responded instead.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** Whether the request may have reached the server. A proxy that responds with a 4xx status did not forward it. */
  readonly mayHaveArrived: boolean
  /** Whether a later attempt may succeed. */
  readonly isTemporary: boolean
  /** The delay that a proxy asked for, in milliseconds. */
  readonly retryAfterMs: number

  constructor(message: string, options: ConnectionErrorOptions = {}) {
    const { cause, mayHaveArrived = true, isTemporary = mayHaveArrived, retryAfterMs = 0 } = options
    super(message, { cause })
    this.mayHaveArrived = mayHaveArrived
    this.isTemporary = isTemporary
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Wraps `fetch`. It and the response's `json()` reject with `ConnectionError` if no tRPC response can be read. Records the server's
 * time of each response.
 */
export function fetchResponse(fetch: typeof globalThis.fetch, clock: ServerClock) {
  return async (url: RequestInfo | URL, init?: object): Promise<Response> => {
    const sentAt = performance.now()
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw failedRequest(cause)
    })
    const serverTime = serverTimeOf(response)
    if (serverTime !== undefined) clock.record(serverTime, sentAt)
    return Object.assign(response, { json: () => readResponse(response) })
  }
}

/** The error of a request for which `fetch` failed. */
export function failedRequest(cause: unknown): ConnectionError {
  const proof = notSent(cause)
  if (!proof) {
    return new ConnectionError('The request failed before a response arrived. Check the network connection.', { cause })
  }
  const { reason, isTemporary } = proof
  const advice = 'Check the client\'s "url", and whether the server is running.'
  return new ConnectionError(`The request was not sent, because the server cannot be reached (${reason}). ${advice}`, {
    cause,
    mayHaveArrived: false,
    isTemporary,
  })
}

/**
 * Reads the body of a tRPC response.
 *
 * @throws ConnectionError if the connection is lost, or the body is not that of a tRPC response
 */
export async function readResponse(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw new ConnectionError('The connection was lost before the response was complete.', { cause })
  })
  const body = parseJson(text)
  if ((Array.isArray(body) ? body : [body]).every(isTrpcResponse)) return body
  const { status, headers } = response
  const mayHaveArrived = status < 400 || status >= 500 || status === 408
  throw new ConnectionError(
    `The response with status ${status} is not that of a Pointwise server. Check the client's "url", and whether a proxy responded instead.`,
    { mayHaveArrived, isTemporary: mayHaveArrived || status === 429, retryAfterMs: retryAfterMs(headers) },
  )
}

/** The header `Retry-After`: seconds, or a date. */
function retryAfterMs(headers: Headers): number {
  const text = headers.get('retry-after') ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}

/** In a tRPC response, `result` and `error` are objects. Other servers send bodies such as `{ "error": "Not Found" }`. */
function isTrpcResponse(value: unknown): boolean {
  return isObject(value) && (isObject(value.result) || isObject(value.error))
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
