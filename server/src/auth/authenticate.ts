import { errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { Refusal } from '../refusals.ts'
import { createJwks, type JwksOptions } from './jwks.ts'
import { ASYMMETRIC } from './usable-keys.ts'

/** The caller that a token identifies. An admin need not be a user, and the user of `userId` may have been removed. */
export interface Identity {
  admin: boolean
  userId: number | undefined
  /** When the token is no longer accepted: when it expires, plus the clock leeway. Undefined for a caller without a token. */
  expiresAt?: Date
}

export interface TokenConfig {
  audience: string
  issuer: string
  /** A shared secret for HS256, or the URL of a JWKS for asymmetric algorithms. */
  key: { secret: Uint8Array } | { jwksUrl: URL }
}

/**
 * Verifies the bearer token of an `Authorization` header. Before a token is refused, `onRefused` is called with the reason, which
 * is for the log: it contains no part of the token.
 *
 * @throws Refusal token_missing, token_invalid; service_busy when the JWKS cannot be fetched
 */
export type Authenticate = (authorization: string | undefined, onRefused: (reason: string) => void) => Promise<Identity>

/** How far the clocks of the server and of the issuer may differ. */
const CLOCK_LEEWAY_SECONDS = 5
const CACHED_TOKENS_MAX = 10_000
/** The latest time that a `Date` can represent, in milliseconds. */
const TIME_MAX = 8.64e15
const BEARER = /^Bearer +(\S+) *$/i

/** Creates a verifier of signature, algorithm, audience, issuer and times. The refusal does not reveal which check failed. */
export function createAuthenticate({ audience, issuer, key }: TokenConfig, options: JwksOptions): Authenticate {
  const checks = { audience, issuer, requiredClaims: ['exp'], clockTolerance: CLOCK_LEEWAY_SECONDS }
  const verify =
    'secret' in key
      ? (token: string) => jwtVerify(token, key.secret, { ...checks, algorithms: ['HS256'] })
      : (
          (keys) => (token: string) =>
            jwtVerify(token, keys, { ...checks, algorithms: ASYMMETRIC })
        )(createJwks(key.jwksUrl, options))
  // The secret never changes, so a verified token stays valid until it expires.
  const cache = 'secret' in key ? new LRUCache<string, Identity>({ max: CACHED_TOKENS_MAX }) : undefined
  return async (authorization, onRefused) => {
    const token = authorization && BEARER.exec(authorization)?.[1]
    if (!token) {
      onRefused(
        authorization
          ? 'the Authorization header does not have the scheme Bearer, or has no token'
          : 'there is no Authorization header',
      )
      throw new Refusal('token_missing')
    }
    const cached = cache?.get(token)
    if (cached?.expiresAt && cached.expiresAt.getTime() > Date.now()) return cached
    const { payload } = await verify(token).catch((error) => {
      if (!(error instanceof errors.JOSEError)) throw error
      onRefused(reasonOf(error))
      throw new Refusal('token_invalid')
    })
    const identity = identityOf(payload)
    if (!identity) {
      onRefused('sub is not a user id, and role is not admin')
      throw new Refusal('token_invalid')
    }
    cache?.set(token, identity)
    return identity
  }
}

/** jose's code, and the claim that failed. The messages of jose can contain parts of the token. */
function reasonOf(error: errors.JOSEError): string {
  const isClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
  return isClaim ? `${error.code}: ${error.claim} ${error.reason}` : error.code
}

function identityOf({ sub, role, exp = 0 }: JWTPayload): Identity | undefined {
  const admin = role === 'admin'
  const userId = userIdOf(sub)
  if (userId === undefined && !admin) return undefined
  return { admin, userId, expiresAt: new Date(Math.min((exp + CLOCK_LEEWAY_SECONDS) * 1_000, TIME_MAX)) }
}

/** Returns the user id of a token's subject, or undefined when the subject, which can have any type, is not a user id. */
function userIdOf(sub: unknown): number | undefined {
  if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub)) return undefined
  const userId = Number(sub)
  return Number.isSafeInteger(userId) ? userId : undefined
}
