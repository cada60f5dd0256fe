import { type CryptoKey, createLocalJWKSet, type JWK } from 'jose'

/** The algorithms of tokens that a key of a JWKS can verify. */
export const ASYMMETRIC = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]
/** The minimum length of an RSA key (RFC 7518), in bits. */
const RSA_BITS_MIN = 2_048

/** The keys of a JWKS that can verify tokens, and a description of each other one. */
interface SortedKeys {
  usable: JWK[]
  unusable: { index: number; kid: unknown; kty: unknown }[]
}

/**
 * Finds the keys of a JWKS that can verify a token. A key that is malformed, private, symmetric, too short or of an unknown kind
 * must not affect the others (RFC 7517, section 5).
 */
export async function sortKeys(keys: readonly unknown[]): Promise<SortedKeys> {
  const sorted: SortedKeys = { usable: [], unusable: [] }
  for (const [index, key] of keys.entries()) {
    const { kid, kty } = (key ?? {}) as JWK
    if (await canVerify(key)) sorted.usable.push(key as JWK)
    else sorted.unusable.push({ index, kid, kty })
  }
  return sorted
}

async function canVerify(key: unknown): Promise<boolean> {
  for (const alg of ASYMMETRIC) {
    try {
      const find = createLocalJWKSet({ keys: [key as JWK] })
      return isLongEnough(await find({ alg }))
    } catch {
      // It cannot be used with this algorithm.
    }
  }
  return false
}

function isLongEnough({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= RSA_BITS_MIN
}
