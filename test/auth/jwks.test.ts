import { exportJWK, exportSPKI, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSigningKey, openShopWithKeys, signAdminToken } from '../setup/jwks-server.ts'
import { expectRefused } from '../setup/refusals.ts'

const INVALID = { code: 'token_invalid' } as const

describe('a JWKS', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as const)(
    'verifies tokens that its keys have signed, and is fetched once: %s',
    async (alg) => {
      const key = await createSigningKey('one', alg)
      await using open = await openShopWithKeys([await createSigningKey('zero'), key])
      const client = open.shop.client({ token: await signAdminToken(key) })

      for (const name of ['Alpha', 'Beta', 'Gamma']) {
        expect(await client.stores.create.mutate({ name })).toMatchObject({ name })
      }
      expect(open.server.fetches).toBe(1)
    },
  )

  it('does not verify a token that another key has signed: token_invalid', async () => {
    await using open = await openShopWithKeys([await createSigningKey('one')])
    const { shop } = open

    for (const kid of ['one', 'two']) {
      const client = shop.client({ token: await signAdminToken(await createSigningKey(kid)) })
      await expectRefused(shop, () => client.stores.create.mutate({ name: 'S' }), 401, INVALID)
    }
  })

  it('does not verify an HS256 token that is signed with a public key as the secret: token_invalid', async () => {
    const keys = [
      await createSigningKey('one', 'ES256'),
      await createSigningKey('two', 'RS256'),
      await createSigningKey('three', 'EdDSA'),
    ]
    await using open = await openShopWithKeys(keys)
    const { shop } = open

    for (const { publicKey, kid, jwk } of keys) {
      const pem = await exportSPKI(publicKey)
      for (const secret of [pem, pem.trim(), JSON.stringify(jwk), JSON.stringify(await exportJWK(publicKey))]) {
        const token = await new SignJWT({ sub: 'root', role: 'admin', aud: 'pointwise', iss: 'pointwise' })
          .setProtectedHeader({ alg: 'HS256', kid })
          .setExpirationTime('1 hour')
          .sign(new TextEncoder().encode(secret))
        const client = shop.client({ token })
        await expectRefused(shop, () => client.stores.create.mutate({ name: 'S' }), 401, INVALID)
      }
    }
  })
})
