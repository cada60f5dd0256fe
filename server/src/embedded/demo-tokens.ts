import type { Reader } from '@pointwise/db'
import { SignJWT } from 'jose'
import type { DemoUser } from '../http/web/storefront.ts'
import * as users from '../users/service.ts'

const EXPIRES_IN = '30 days'
const DEMO_USERS_MAX = 20

/** What a token is signed with: an HS256 secret and the claims that the server requires. */
export interface Signing {
  secret: Uint8Array
  audience: string
  issuer: string
}

export interface DemoTokens {
  adminToken: string
  /** The token and the name of the first user; undefined when every user has been removed. */
  userToken: string | undefined
  userName: string | undefined
}

/** Signs the tokens that the embedded server prints and writes to `server.json`. */
export async function demoTokens(db: Reader, signing: Signing): Promise<DemoTokens> {
  const [user] = await users.listFirst(db, 1)
  return {
    adminToken: await sign(signing, 'admin', { role: 'admin' }),
    userToken: user && (await userToken(signing, user.id)),
    userName: user?.name,
  }
}

/** Returns the users as whom a visitor of the demo storefront can shop, each with a token. */
export async function demoUsers(db: Reader, signing: Signing): Promise<DemoUser[]> {
  const customers = await users.listFirst(db, DEMO_USERS_MAX)
  return Promise.all(customers.map(async ({ id, name }) => ({ id, name, token: await userToken(signing, id) })))
}

function userToken(signing: Signing, userId: number): Promise<string> {
  return sign(signing, String(userId), {})
}

function sign({ secret, audience, issuer }: Signing, subject: string, claims: Record<string, string>): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setAudience(audience)
    .setIssuer(issuer)
    .setExpirationTime(EXPIRES_IN)
    .sign(secret)
}
