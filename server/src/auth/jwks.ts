import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { serviceBusy } from '../refusals.ts'

/** A key set of this age is asked for again before it is used. */
const AGE_MAX_MS = 600_000
/** An unknown key, and a key server that failed, cause one fetch in this time, however many ask. */
const COOLDOWN_MS = 30_000
/** While there is no key at all, one fetch in this time. */
const FIRST_COOLDOWN_MS = 1_000
const FETCH_TIMEOUT_MS = 3_000

export interface JwksOptions {
  now: () => Date
  /** Told of each fetch that failed. */
  onFailure: (error: unknown) => void
}

/**
 * The keys at an address, for verifying tokens. When they cannot be fetched, those that were fetched last go on working;
 * a token that none of them fits can then not be judged, which is no fault of the token: service_busy.
 *
 * @throws Refusal service_busy
 */
export function createJwks(url: URL, { now, onFailure }: JwksOptions): JWTVerifyGetKey {
  // When to fetch is decided here: jose's own rules forget the last good keys.
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  })
  let fetching: Promise<void> | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let fetchedOnce = false
  let failed = false

  const fetchKeys = () =>
    (fetching ??= keys
      .reload()
      .then(
        () => {
          fetchedOnce = true
          failed = false
        },
        (error: unknown) => {
          failed = true
          onFailure(error)
        },
      )
      .finally(() => {
        triedAt = now().getTime()
        fetching = undefined
      }))
  const age = () => {
    const ms = now().getTime() - triedAt
    // A clock that was set back does not tell how long ago it was.
    return ms < 0 ? Number.POSITIVE_INFINITY : ms
  }

  return async (header, token) => {
    if (!fetchedOnce) {
      if (age() > FIRST_COOLDOWN_MS) await fetchKeys()
      if (!fetchedOnce) throw serviceBusy()
    } else if (failed ? age() > COOLDOWN_MS : age() > AGE_MAX_MS) {
      const fetched = fetchKeys()
      // Of a key server that failed the last time nobody waits for the answer.
      if (!failed) await fetched
    }
    const known = await find(header, token)
    if (known) return known
    if (age() > COOLDOWN_MS) await fetchKeys()
    const found = await find(header, token)
    if (found) return found
    throw failed ? serviceBusy() : new errors.JWKSNoMatchingKey()
  }

  async function find(...asked: Parameters<typeof keys>) {
    try {
      return await keys(...asked)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }
}
