import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose'
import { serviceBusy } from '../refusals.ts'
import { sortKeys } from './usable-keys.ts'

/** A JWKS of this age is fetched again before it is used. */
const AGE_MAX_MS = 600_000
/** The minimum time between two fetches that are caused by unknown keys, or that follow a failed fetch. */
const COOLDOWN_MS = 30_000
/** The minimum time between two fetches while no fetch has succeeded. */
const INITIAL_COOLDOWN_MS = 1_000
const FETCH_TIMEOUT_MS = 3_000

export interface JwksOptions {
  now: () => Date
  /** Called for each fetch that fails. */
  onFailure: (error: unknown) => void
  /** Called when a JWKS contains keys that cannot verify tokens, with a description of each. */
  onUnusableKeys: (keys: object[]) => void
}

/**
 * Returns a function that finds the key of a token in the JWKS at `url`. When the JWKS cannot be fetched, the keys that were
 * fetched last remain in use. A token with an unknown key is then refused with service_busy and not as invalid, because
 * its key may exist. Keys of the JWKS that cannot verify a token count as absent.
 *
 * @throws Refusal service_busy
 */
export function createJwks(url: URL, { now, onFailure, onUnusableKeys }: JwksOptions): JWTVerifyGetKey {
  // jose's own rules would discard the last good keys, so this function decides when to fetch.
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    [customFetch]: fetchUsableKeys(onUnusableKeys),
  })
  let fetching: Promise<void> | undefined
  let lastAttemptAt = Number.NEGATIVE_INFINITY
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
        lastAttemptAt = now().getTime()
        fetching = undefined
      }))
  const age = () => {
    const ms = now().getTime() - lastAttemptAt
    // When the clock was set back, the age is unknown.
    return ms < 0 ? Number.POSITIVE_INFINITY : ms
  }

  return async (header, token) => {
    if (!fetchedOnce) {
      if (age() > INITIAL_COOLDOWN_MS) await fetchKeys()
      if (!fetchedOnce) throw serviceBusy()
    } else if (failed ? age() > COOLDOWN_MS : age() > AGE_MAX_MS) {
      const refresh = fetchKeys()
      // After a failed fetch, calls do not wait for the next: the key server may be slow.
      if (!failed) await refresh
    }
    const cached = await find(header, token)
    if (cached) return cached
    if (age() > COOLDOWN_MS) await fetchKeys()
    const fetched = await find(header, token)
    if (fetched) return fetched
    throw failed ? serviceBusy() : new errors.JWKSNoMatchingKey()
  }

  async function find(...token: Parameters<typeof keys>) {
    try {
      return await keys(...token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }
}

/** Fetches a JWKS, and removes the keys that cannot verify tokens. jose rejects a set with a member that is not an object. */
function fetchUsableKeys(onUnusableKeys: JwksOptions['onUnusableKeys']): FetchImplementation {
  return async (url, options) => {
    const response = await fetch(url, options)
    if (response.status !== 200) return response
    const { keys } = (await response.json()) as { keys?: unknown }
    // jose rejects a set without a list of keys.
    if (!Array.isArray(keys)) return Response.json({})
    const { usable, unusable } = await sortKeys(keys)
    if (unusable.length > 0) onUnusableKeys(unusable)
    return Response.json({ keys: usable })
  }
}
