import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { get } from '../setup/raw.ts'
import { expectRefused } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

const CLAIMS = { sub: 'root', role: 'admin', aud: 'pointwise', iss: 'pointwise' }

/** A key set of one ES256 key, served over HTTP, and a shop that trusts it. */
async function openWithKeys() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const keys: JWK[] = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }]
  let fetches = 0
  const server = createServer((_, response) => {
    fetches++
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const shop = await openShop({
    config: {
      tokens: {
        audience: 'pointwise',
        issuer: 'pointwise',
        key: { jwksUrl: new URL(`http://127.0.0.1:${port}/jwks.json`) },
      },
    },
  })
  const sign = (alg: string, key: Parameters<SignJWT['sign']>[0], kid = 'one') =>
    new SignJWT(CLAIMS).setProtectedHeader({ alg, kid }).setExpirationTime('1 hour').sign(key)
  return {
    shop,
    publicKey,
    privateKey,
    sign,
    fetches: () => fetches,
    stop: () => server.close(),
    async [Symbol.asyncDispose]() {
      server.close()
      await shop[Symbol.asyncDispose]()
    },
  }
}

describe('a key set', () => {
  it('verifies tokens that were signed with one of its keys, and is fetched once', async () => {
    await using open = await openWithKeys()
    const { shop, privateKey, sign } = open
    const client = shop.client({ token: await sign('ES256', privateKey) })

    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      expect(await client.stores.create.mutate({ name })).toMatchObject({ name })
    }
    expect(open.fetches()).toBe(1)
  })

  it('verifies no token of another key: refuses token_invalid', async () => {
    await using open = await openWithKeys()
    const { privateKey: another } = await generateKeyPair('ES256')
    const { shop, sign } = open

    for (const kid of ['one', 'two']) {
      const client = shop.client({ token: await sign('ES256', another, kid) })
      await expectRefused(shop, () => client.stores.create.mutate({ name: 'S' }), 401, { code: 'token_invalid' })
    }
  })

  it('is no secret: refuses token_invalid for HS256 signed with the public key', async () => {
    await using open = await openWithKeys()
    const { shop, publicKey, sign } = open
    const secrets = [await exportSPKI(publicKey), JSON.stringify(await exportJWK(publicKey))]

    for (const secret of secrets) {
      const client = shop.client({ token: await sign('HS256', new TextEncoder().encode(secret)) })
      await expectRefused(shop, () => client.stores.create.mutate({ name: 'S' }), 401, { code: 'token_invalid' })
    }
  })

  it('is not fetched anew for each unknown key', async () => {
    await using open = await openWithKeys()
    const { shop, privateKey, sign } = open

    for (let n = 0; n < 20; n++) {
      const token = await sign('ES256', privateKey, `unknown ${n}`)
      expect(await get(shop, 'users.me', { token })).toMatchObject({ refusal: { code: 'token_invalid' } })
    }

    expect(open.fetches()).toBeLessThanOrEqual(2)
  })

  it('that cannot be fetched is a fault of ours, which says nothing about the token', async () => {
    await using open = await openWithKeys()
    open.stop()
    const { shop, privateKey, sign } = open

    const answer = await get(shop, 'users.me', { token: await sign('ES256', privateKey) })

    expect(answer).toMatchObject({ status: 500, refusal: null })
    expect(answer.text).not.toContain('127.0.0.1')
  })
})
