import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { openShop, type Shop, type ShopOptions } from './shop.ts'

export interface SigningKey {
  kid: string
  alg: string
  publicKey: CryptoKey
  privateKey: CryptoKey
  jwk: JWK
}

export async function createSigningKey(kid: string, alg: 'ES256' | 'EdDSA' | 'RS256' = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } }
}

/** An admin token that is signed with a key. */
export function signAdminToken({ privateKey, alg, kid }: SigningKey, claims: JWTPayload = {}, header: object = {}) {
  return new SignJWT({ sub: 'root', role: 'admin', aud: 'pointwise', iss: 'pointwise', ...claims })
    .setProtectedHeader({ alg, kid, ...header })
    .setExpirationTime('1 hour')
    .sign(privateKey)
}

/** Serves a JWKS over HTTP, or simulates a failure. */
export class JwksServer implements AsyncDisposable {
  keys: JWK[]
  /** The URL to which it redirects requests, if any. */
  redirect: URL | undefined
  /** While `hanging`, requests wait until it is `up` again. */
  #state: 'up' | 'failing' | 'hanging' = 'up'
  readonly #waiting: ServerResponse[] = []
  readonly #server = createServer((_request, response) => {
    this.fetches++
    if (this.#state === 'hanging') this.#waiting.push(response)
    else this.#respond(response)
  })
  fetches = 0

  constructor(keys: SigningKey[]) {
    this.keys = keys.map(({ jwk }) => jwk)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.become('up')
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async url(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`)
  }

  become(state: 'up' | 'failing' | 'hanging'): void {
    this.#state = state
    if (state !== 'hanging') for (const response of this.#waiting.splice(0)) this.#respond(response)
  }

  #respond(response: ServerResponse): void {
    if (this.redirect) response.writeHead(302, { location: this.redirect.href })
    else response.statusCode = this.#state === 'up' ? 200 : 503
    response.end(JSON.stringify({ keys: this.keys }))
  }
}

export interface ShopWithKeys extends AsyncDisposable {
  shop: Shop
  server: JwksServer
}

/** A shop that verifies tokens with the keys of a JWKS server. */
export async function openShopWithKeys(
  keys: SigningKey[],
  options: Pick<ShopOptions, 'now' | 'logLevel'> = {},
): Promise<ShopWithKeys> {
  const server = new JwksServer(keys)
  const key = { jwksUrl: await server.url() }
  const config = { tokens: { audience: 'pointwise', issuer: 'pointwise', key } }
  const shop = await openShop({ config, ...options })
  return {
    shop,
    server,
    async [Symbol.asyncDispose]() {
      await shop[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
