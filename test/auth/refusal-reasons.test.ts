import { base64url, SignJWT } from 'jose'
import { expect, it } from 'vitest'
import { JWT_SECRET, SECRET } from '../setup/configuration.ts'
import { createSigningKey, openShopWithKeys, signAdminToken } from '../setup/jwks-server.ts'
import { get } from '../setup/raw-http.ts'
import { openShop, type Shop } from '../setup/shop.ts'

const now = () => Math.floor(Date.now() / 1_000)
const CLAIMS = { sub: '1', aud: 'pointwise', iss: 'pointwise', exp: now() + 3_600 }

const sign = (claims: object, { alg = 'HS256', header = {}, secret = SECRET } = {}) =>
  new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg, ...header }).sign(secret)

const REASONS: [authorization: () => string | Promise<string>, reason: string][] = [
  [() => '', 'there is no Authorization header'],
  [() => 'Basic c2VjcmV0OnNlY3JldA==', 'the Authorization header does not have the scheme Bearer, or has no token'],
  [() => 'Bearer', 'the Authorization header does not have the scheme Bearer, or has no token'],
  [() => 'Bearer abc', 'ERR_JWS_INVALID'],
  [() => `Bearer ${base64url.encode('{"alg":"none"}')}.e30.`, 'ERR_JOSE_ALG_NOT_ALLOWED'],
  [async () => `Bearer ${await sign({}, { alg: 'HS512' })}`, 'ERR_JOSE_ALG_NOT_ALLOWED'],
  [
    async () => `Bearer ${await sign({}, { secret: new TextEncoder().encode('x'.repeat(32)) })}`,
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  [async () => `Bearer ${await sign({ exp: now() - 60 })}`, 'ERR_JWT_EXPIRED: exp check_failed'],
  [async () => `Bearer ${await sign({ exp: undefined })}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED: exp missing'],
  [async () => `Bearer ${await sign({ nbf: now() + 60 })}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED: nbf check_failed'],
  [async () => `Bearer ${await sign({ aud: 'other' })}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED: aud check_failed'],
  [async () => `Bearer ${await sign({ iss: undefined })}`, 'ERR_JWT_CLAIM_VALIDATION_FAILED: iss missing'],
  [async () => `Bearer ${await sign({ sub: 'a-secret-subject' })}`, 'sub is not a user id, and role is not admin'],
]

const refusals = (shop: Shop) => shop.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'token refused')

it('each refused token leaves its reason in the log at debug, with the request id and no part of the token', async () => {
  await using shop = await openShop({ logLevel: 'debug' })
  for (const [authorization, reason] of REASONS) {
    shop.log.length = 0
    const header = await authorization()
    const answer = await get(shop, 'users.me', { headers: { authorization: header } })
    expect(answer.status).toBe(401)
    expect(refusals(shop)).toEqual([
      expect.objectContaining({ level: 20, reason, requestId: answer.headers.get('x-request-id') }),
    ])
    const credentials = header.replace(/^\w+ ?/, '')
    for (const part of [...credentials.split('.'), 'a-secret-subject', JWT_SECRET].filter((text) => text.length > 3)) {
      expect(shop.log.join('')).not.toContain(part)
    }
  }
})

it('a token of an unknown key leaves its reason, too', async () => {
  const server = await openShopWithKeys([await createSigningKey('one')], { logLevel: 'debug' })
  await using _ = server
  await get(server.shop, 'users.me', { token: await signAdminToken(await createSigningKey('two')) })
  expect(refusals(server.shop)).toMatchObject([{ level: 20, reason: 'ERR_JWKS_NO_MATCHING_KEY' }])
})

it('the reason is not logged at info', async () => {
  await using shop = await openShop()
  await get(shop, 'users.me', { token: 'abc' })
  expect(refusals(shop)).toEqual([])
})
