/** The address of the server, and what the client sends with each request. */
export interface ClientOptions {
  /** The server's base URL, such as `https://shop.example`. The client appends `/trpc`. */
  url: string | URL
  /** An access token, or a function that returns one and is called for each request. Public procedures need none. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** A replacement for the global `fetch`. It must not send a request more than once. */
  fetch?: typeof globalThis.fetch | undefined
  /** Additional headers, or a function that returns them and is called for each request. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined
  /** The time within which a call succeeds or fails, with all its attempts, in milliseconds. 30,000 by default. */
  timeoutMs?: number | undefined
  /**
   * How long an attempt waits for its response, in milliseconds. 8,000 by default. The server neither begins nor commits a mutation
   * after this time.
   */
  attemptTimeoutMs?: number | undefined
}

/** The longest time that `setTimeout` supports. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1

/** @throws TypeError if a timeout is not a number of milliseconds */
export function timeouts(options: ClientOptions): { timeoutMs?: number; attemptTimeoutMs?: number } {
  const given: { timeoutMs?: number; attemptTimeoutMs?: number } = {}
  for (const name of ['timeoutMs', 'attemptTimeoutMs'] as const) {
    const ms = options[name]
    if (ms === undefined) continue
    if (!(Number.isInteger(ms) && ms >= 1 && ms <= TIMEOUT_MAX_MS)) {
      throw new TypeError(
        `createClient: the option "${name}" is ${ms}. It must be a whole number of milliseconds between 1 and ${TIMEOUT_MAX_MS}.`,
      )
    }
    given[name] = ms
  }
  return given
}
