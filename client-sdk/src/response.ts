/**
 * A request went out and no answer of the server came back: the connection was lost, or something on the way answered
 * in the server's place.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** Whether the server may have got the call; what turned it away on the way, with a 4xx, did not pass it on. */
  readonly mayHaveArrived: boolean

  constructor(message: string, { cause, mayHaveArrived = true }: { cause?: unknown; mayHaveArrived?: boolean } = {}) {
    super(message, { cause })
    this.mayHaveArrived = mayHaveArrived
  }
}

/** Fetches like `fetch`, but fails with `ConnectionError` where no answer of a tRPC server can be read. */
export function fetchResponse(fetch: typeof globalThis.fetch) {
  return async (url: RequestInfo | URL, init?: object): Promise<Response> => {
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw new ConnectionError('The connection was lost.', { cause })
    })
    return Object.assign(response, { json: () => readResponse(response) })
  }
}

/** The answer of a tRPC server; @throws ConnectionError */
export async function readResponse(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw new ConnectionError('The connection was lost while the answer came in.', { cause })
  })
  const answer = parse(text)
  if ((Array.isArray(answer) ? answer : [answer]).every(isAnswer)) return answer
  const { status } = response
  const mayHaveArrived = status < 400 || status >= 500 || status === 408
  throw new ConnectionError(`The answer, of status ${status}, is not one of a tRPC server.`, { mayHaveArrived })
}

/** Other servers answer `{ "error": "Not Found" }`; in tRPC's answers it is an object, as `result` is. */
function isAnswer(value: unknown): boolean {
  return isObject(value) && (isObject(value.result) || isObject(value.error))
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
