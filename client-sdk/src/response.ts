/**
 * A request was sent, but no response of the server could be read: the connection was lost, the server sent nothing for too
 * long, or a proxy or another server responded instead.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** Whether the request may have reached the server. A proxy that responds with a 4xx status did not forward it. */
  readonly mayHaveArrived: boolean

  constructor(message: string, { cause, mayHaveArrived = true }: { cause?: unknown; mayHaveArrived?: boolean } = {}) {
    super(message, { cause })
    this.mayHaveArrived = mayHaveArrived
  }
}

/** Wraps `fetch`. It and the response's `json()` reject with `ConnectionError` if no tRPC response can be read. */
export function fetchResponse(fetch: typeof globalThis.fetch) {
  return async (url: RequestInfo | URL, init?: object): Promise<Response> => {
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw new ConnectionError('The request failed before a response arrived. Check the network connection.', {
        cause,
      })
    })
    return Object.assign(response, { json: () => readResponse(response) })
  }
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
  const { status } = response
  const mayHaveArrived = status < 400 || status >= 500 || status === 408
  throw new ConnectionError(
    `The response with status ${status} is not that of a Pointwise server. Check the client's "url", and whether a proxy responded instead.`,
    { mayHaveArrived },
  )
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
