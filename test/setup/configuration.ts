import type { AppConfig } from '@pointwise/server'
import { type JWTPayload, SignJWT } from 'jose'

export const SECRET = new TextEncoder().encode('a secret of at least thirty-two bytes')

/** How a server of the tests is configured where a test says nothing else. */
export const CONFIG: AppConfig = {
  tokens: { audience: 'pointwise', issuer: 'pointwise', key: { secret: SECRET } },
  corsOrigins: [],
  rateLimit: null,
  trustProxy: 0,
  rankingsTtlSeconds: 0,
  storefront: false,
}

/** A token that such a server accepts for an hour, where the claims do not say otherwise. */
export function signToken(claims: JWTPayload): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 3_600
  return new SignJWT({ aud: 'pointwise', iss: 'pointwise', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(SECRET)
}

export const signUserToken = (userId: number): Promise<string> => signToken({ sub: String(userId) })
