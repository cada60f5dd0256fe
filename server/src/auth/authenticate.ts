import { errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { Refusal } from '../refusals.ts'
import { createJwks, type JwksOptions } from './jwks.ts'

/** The caller that a token identifies. An admin need not be a user, and the user of `userId` may have been removed. */
export interface Identity {
  admin: boolean
  userId: number | undefined
  /** When the token expires; undefined for a caller without a token. */
  expiresAt?: Date
}

export interface TokenConfig {
  audience: string
  issuer: string
  /** A shared secret for HS256, or the URL of a JWKS for asymmetric algorithms. */
  key: { secret: Uint8Array } | { jwksUrl: URL }
}

/**
 * Verifies the bearer token of an `Authorization` header.
 *
 * @throws Refusal token_missing, token_invalid; service_busy when the JWKS cannot be fetched
 */
export type Authenticate = (authorization: string | undefined) => Promise<Identity>

const ASYMMETRIC = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
const CACHED_TOKENS_MAX = 10_000
/** The latest time that a `Date` can represent, in milliseconds. */
const TIME_MAX = 8.64e15
const BEARER = /^Bearer +(\S+) *$/i

/** Creates a verifier of signature, algorithm, audience, issuer and times. The refusal does not reveal which check failed. */
export function createAuthenticate({ audience, issuer, key }: TokenConfig, options: JwksOptions): Authenticate {
  const checks = { audience, issuer, requiredClaims: ['exp'] }
  const verify =
    'secret' in key
      ? (token: string) => jwtVerify(token, key.secret, { ...checks, algorithms: ['HS256'] })
      : (
          (keys) => (token: string) =>
            jwtVerify(token, keys, { ...checks, algorithms: ASYMMETRIC })
        )(createJwks(key.jwksUrl, options))
  // The secret never changes, so a verified token stays valid until it expires.
  const cache = 'secret' in key ? new LRUCache<string, Identity>({ max: CACHED_TOKENS_MAX }) : undefined
  return async (authorization) => {
    const token = authorization && BEARER.exec(authorization)?.[1]
    if (!token) throw new Refusal('token_missing')
    const cached = cache?.get(token)
    if (cached?.expiresAt && cached.expiresAt.getTime() > Date.now()) return cached
    try {
      const { payload } = await verify(token)
      const identity = identityOf(payload)
      cache?.set(token, identity)
      return identity
    } catch (error) {
      // A malformed JWKS is no reason to call the token invalid.
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)) {
        throw new Refusal('token_invalid')
      }
      throw error
    }
  }
}

function identityOf({ sub, role, exp = 0 }: JWTPayload): Identity {
  const admin = role === 'admin'
  const userId = userIdOf(sub)
  if (userId === undefined && !admin) throw new Refusal('token_invalid')
  return { admin, userId, expiresAt: new Date(Math.min(exp * 1_000, TIME_MAX)) }
}

/** Returns the user id of a token's subject, or undefined when the subject, which can have any type, is not a user id. */
function userIdOf(sub: unknown): number | undefined {
  if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub)) return undefined
  const userId = Number(sub)
  return Number.isSafeInteger(userId) ? userId : undefined
}
