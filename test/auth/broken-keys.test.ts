import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createSigningKey,
  openShopWithKeys,
  type ShopWithKeys,
  type SigningKey,
  signAdminToken,
} from '../setup/jwks-server.ts'
import { get } from '../setup/raw-http.ts'
import { loggedErrors } from '../setup/trpc-wire.ts'

const VERIFIED = { status: 403, refusal: { code: 'not_allowed', retry: 'never' } }
const INVALID = { status: 401, refusal: { code: 'token_invalid', retry: 'never' } }

/** Every kind of broken key, made of the good public keys of an RSA, an elliptic-curve and an Edwards-curve pair. */
function breakKeys(
  { rsa, ec, ed }: Record<'rsa' | 'ec' | 'ed', JWK>,
  privateKey: JWK,
  short: JWK,
): Record<string, JWK> {
  const without = (jwk: JWK, name: keyof JWK) => ({ ...jwk, [name]: undefined })
  return {
    'RSA without n': without(rsa, 'n'),
    'RSA without e': without(rsa, 'e'),
    'RSA with an n that is not base64url': { ...rsa, n: '***' },
    'RSA with an n that is a number': { ...rsa, n: 5 as unknown as string },
    'RSA of 1,024 bits': short,
    'an elliptic curve without x': without(ec, 'x'),
    'an elliptic curve without a curve': without(ec, 'crv'),
    'an elliptic curve with a point that is not on it': { ...ec, y: ec.x as string },
    'an unsupported curve': { ...ec, crv: 'secp256k1' },
    'an unsupported algorithm': { ...ec, alg: 'ES999' },
    'an algorithm of another kind of key': { ...ec, alg: 'RS256' },
    'an Edwards curve with a short x': { ...ed, x: 'AAAA' },
    'X25519, which signs nothing': { ...ed, crv: 'X25519' },
    'no kty': without(ec, 'kty'),
    'an unknown kty': { ...ec, kty: 'XYZ' },
    'a private key': privateKey,
    'a symmetric key': { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', alg: 'HS256' },
    'key operations without verify': { ...ec, key_ops: ['encrypt'] },
    'malformed key operations': { ...ec, key_ops: 'verify' as unknown as string[] },
    'a key for encryption': { ...ec, use: 'enc' },
    'a malformed ext': { ...ec, ext: 'yes' as unknown as boolean },
  }
}

describe('a JWKS with broken keys', () => {
  let opened: ShopWithKeys
  let good: SigningKey
  let broken: Record<string, JWK>
  let signers: SigningKey[]
  beforeAll(async () => {
    good = await createSigningKey('good')
    signers = await Promise.all((['RS256', 'ES256', 'EdDSA'] as const).map((alg) => createSigningKey('any', alg)))
    const [rsa, ec, ed] = signers as [SigningKey, SigningKey, SigningKey]
    const short = await generateKeyPair('RS256', { extractable: true, modulusLength: 2_048 })
    const pair = await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1_024, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ['sign', 'verify'],
    )
    broken = breakKeys(
      { rsa: rsa.jwk, ec: ec.jwk, ed: ed.jwk },
      await exportJWK(short.privateKey),
      (await crypto.subtle.exportKey('jwk', pair.publicKey)) as JWK,
    )
    opened = await openShopWithKeys([])
    const members = Object.entries(broken).map(([kid, jwk]) => ({ ...jwk, kid }))
    const junk = [null, 5, 'key', [], {}, { kid: null }] as unknown as JWK[]
    opened.server.keys = [...junk, ...members, good.jwk]
  })
  afterAll(() => opened[Symbol.asyncDispose]())

  it('still verifies the tokens of its other keys, with and without a kid', async () => {
    const { shop } = opened
    for (const header of [{}, { kid: undefined }]) {
      expect(await get(shop, 'users.me', { token: await signAdminToken(good, {}, header) })).toMatchObject(VERIFIED)
    }
  })

  it('refuses a token of each broken key with token_invalid, and logs no error', async () => {
    const { shop } = opened
    for (const kid of Object.keys(broken)) {
      for (const signer of signers) {
        const answer = await get(shop, 'users.me', { token: await signAdminToken({ ...signer, kid }) })
        expect({ kid, ...answer }).toMatchObject({ kid, ...INVALID })
      }
    }
    expect(loggedErrors(shop)).toEqual([])
  })

  it('names the broken keys in one warning for each fetch', async () => {
    const warnings = opened.shop.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg.includes('keys of the JWKS'))
    expect(warnings).toHaveLength(opened.server.fetches)
    const kids = warnings[0].keys.map(({ kid }: { kid?: string | null }) => kid).filter((kid?: string | null) => kid)
    expect(kids).toEqual(Object.keys(broken))
  })
})
