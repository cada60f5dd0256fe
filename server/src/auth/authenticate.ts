import { errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { Refusal } from '../refusals.ts'
import { createJwks, type JwksOptions } from './jwks.ts'

/** Who a token speaks for. An admin need not be a user; a user id is that of a row in `users`, which may be gone. */
export interface Identity {
  admin: boolean
  userId: number | undefined
  /** When the token expires; undefined for a caller without one. */
  expiresAt?: Date
}

export interface TokenConfig {
  audience: string
  issuer: string
  /** A shared secret for HS256, or the address of a key set for asymmetric algorithms. */
  key: { secret: Uint8Array } | { jwksUrl: URL }
}

/**
 * Reads the `Authorization` header.
 *
 * @throws Refusal token_missing, token_invalid; service_busy when the key set cannot be fetched
 */
export type Authenticate = (authorization: string | undefined) => Promise<Identity>

const ASYMMETRIC = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
const KNOWN_TOKENS_MAX = 10_000
/** No `Date` is later. */
const TIME_MAX = 8.64e15
const BEARER = /^Bearer +(\S+) *$/i

/** Checks signature, algorithm, audience, issuer and times; a failure of any is the same to the caller. */
export function createAuthenticate({ audience, issuer, key }: TokenConfig, options: JwksOptions): Authenticate {
  const checks = { audience, issuer, requiredClaims: ['exp'] }
  const verify =
    'secret' in key
      ? (token: string) => jwtVerify(token, key.secret, { ...checks, algorithms: ['HS256'] })
      : (
          (keys) => (token: string) =>
            jwtVerify(token, keys, { ...checks, algorithms: ASYMMETRIC })
        )(createJwks(key.jwksUrl, options))
  // Under a secret that never changes, a token that was good is good until it expires.
  const known = 'secret' in key ? new LRUCache<string, Identity>({ max: KNOWN_TOKENS_MAX }) : undefined
  return async (authorization) => {
    const token = authorization && BEARER.exec(authorization)?.[1]
    if (!token) throw new Refusal('token_missing')
    const earlier = known?.get(token)
    if (earlier?.expiresAt && earlier.expiresAt.getTime() > Date.now()) return earlier
    try {
      const { payload } = await verify(token)
      const identity = identityOf(payload)
      known?.set(token, identity)
      return identity
    } catch (error) {
      // A key set that is broken says nothing about the token.
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

/** The user of a subject, which a token may give any type; undefined when it names none. */
function userIdOf(sub: unknown): number | undefined {
  if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub)) return undefined
  const userId = Number(sub)
  return Number.isSafeInteger(userId) ? userId : undefined
}
