import { preparationError } from './attempt.ts'
import type { ClientOptions } from './client-options.ts'

/** The visible ASCII characters, of which an access token consists. */
const TOKEN = /^[\x21-\x7e]+$/

/**
 * The headers of a request, with the access token.
 *
 * @throws TypeError if the token is not a string that can be sent
 * @throws what the functions `token` and `headers` throw
 */
export async function requestHeaders({ token, headers }: Pick<ClientOptions, 'token' | 'headers'>): Promise<Headers> {
  const result = new Headers(typeof headers === 'function' ? await headers() : headers)
  const accessToken: unknown = typeof token === 'function' ? await token() : token
  if (accessToken === undefined || accessToken === null) return result
  if (typeof accessToken !== 'string' || !TOKEN.test(accessToken)) throw invalidTokenError(accessToken)
  result.set('authorization', `Bearer ${accessToken}`)
  return result
}

/** The message does not contain the token. */
function invalidTokenError(token: unknown): TypeError {
  const found =
    token === ''
      ? 'an empty string'
      : typeof token === 'string'
        ? 'a string with spaces or control characters'
        : typeof token
  return new TypeError(
    `The request was not sent: the option "token" of createClient is or returned ${found}. It must be an access token, or undefined for a request without one.`,
  )
}

/**
 * Like `requestHeaders`, for a request that has no attempt to limit it.
 *
 * @throws ConnectionError if the functions do not return within `timeoutMs` or before `signal` is aborted
 */
export async function requestHeadersWithin(
  options: Pick<ClientOptions, 'token' | 'headers'>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Headers> {
  let interrupt = () => {}
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => reject(preparationError(timeoutMs))
  })
  const timer = setTimeout(() => interrupt(), timeoutMs)
  signal.addEventListener('abort', interrupt)
  try {
    return await Promise.race([requestHeaders(options), interrupted])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
  }
}
