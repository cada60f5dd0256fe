import { SignJWT } from 'jose'

const VALID_FOR = '30 days'

interface Signing {
  secret: Uint8Array
  audience: string
  issuer: string
}

/** A token that a user of the demonstration would have got from a login. */
export function userToken(signing: Signing, userId: number): Promise<string> {
  return sign(signing, String(userId), {})
}

export function adminToken(signing: Signing): Promise<string> {
  return sign(signing, 'admin', { role: 'admin' })
}

function sign({ secret, audience, issuer }: Signing, subject: string, claims: Record<string, string>): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setAudience(audience)
    .setIssuer(issuer)
    .setExpirationTime(VALID_FOR)
    .sign(secret)
}
