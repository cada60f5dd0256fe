import type { AppConfig } from '@pointwise/server'
import { type JWTPayload, SignJWT } from 'jose'

export const JWT_SECRET = 'a secret of at least thirty-two bytes'
export const SECRET = new TextEncoder().encode(JWT_SECRET)

/** The default configuration of a server in the tests. */
export const CONFIG: AppConfig = {
  tokens: { audience: 'pointwise', issuer: 'pointwise', key: { secret: SECRET } },
  corsOrigins: [],
  corsHeaders: ['traceparent'],
  rateLimit: null,
  trustProxy: 0,
  rankingsTtlSeconds: 0,
  storefront: false,
}

/** A token that such a server accepts; by default it is valid for an hour. */
export function signToken(claims: JWTPayload): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 3_600
  return new SignJWT({ aud: 'pointwise', iss: 'pointwise', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(SECRET)
}

export const signUserToken = (userId: number): Promise<string> => signToken({ sub: String(userId) })
