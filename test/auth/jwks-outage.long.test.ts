import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { eventually } from '../setup/eventually.ts'
import {
  createSigningKey,
  JwksServer,
  openShopWithKeys,
  type SigningKey,
  signAdminToken,
} from '../setup/jwks-server.ts'
import { get, post } from '../setup/raw-http.ts'
import type { Shop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'
import { loggedErrors } from '../setup/trpc-wire.ts'

const FLOOD = inSuite(100, 1_000)
const CONCURRENT = 50
const NOW = '2026-05-01T12:00:00Z'
const at = (seconds: number) => new Date(Date.parse(NOW) + seconds * 1_000)
const BUSY = { status: 503, refusal: { code: 'service_busy', retry: 'same-key', afterMs: 1_000 } }
const INVALID = { status: 401, refusal: { code: 'token_invalid', retry: 'never' } }
/** The response to a verified token of an admin who is not a user. */
const VERIFIED = { status: 403, refusal: { code: 'not_allowed', retry: 'never' } }

async function open() {
  const clock = clockAt(NOW)
  const key = await createSigningKey('one')
  return { ...(await openShopWithKeys([key], { now: clock.now })), clock, key }
}

const call = async (shop: Shop, key: SigningKey, header = {}) =>
  get(shop, 'users.me', { token: await signAdminToken(key, {}, header) })

const fetchWarnings = (shop: Shop) => shop.log.filter((line) => line.includes('fetching the JWKS failed'))

it('a clock that is set back does not prevent a fetch', async () => {
  const { shop, server, clock, key, ...opened } = await open()
  await using _ = opened
  expect(await call(shop, key)).toMatchObject(VERIFIED)
  clock.set(at(-3_600))
  expect(await call(shop, key)).toMatchObject(VERIFIED)
  expect(server.fetches).toBe(2)
})

describe('a flood of tokens with unknown keys', () => {
  const flood = async (shop: Shop, key: SigningKey, count = 100) => {
    const tokens = await Promise.all(
      Array.from({ length: count }, (_, n) => signAdminToken(key, {}, { kid: `unknown ${n}` })),
    )
    return async () => {
      const answers: Awaited<ReturnType<typeof get>>[] = []
      // The key server runs in this process. More calls at once could keep it from answering within the timeout of a fetch.
      for (let sent = 0; sent < count; sent += CONCURRENT) {
        const group = tokens.slice(sent, sent + CONCURRENT)
        answers.push(...(await Promise.all(group.map((token) => get(shop, 'users.me', { token })))))
      }
      return answers
    }
  }
  const statuses = (answers: { status: number }[]) => [...new Set(answers.map(({ status }) => status))]

  it(`is refused with token_invalid, and ${FLOOD} tokens cause one fetch in thirty seconds`, async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    const forged = await flood(shop, await createSigningKey('forged'), FLOOD)
    expect(await call(shop, key)).toMatchObject(VERIFIED)
    expect(server.fetches).toBe(1)

    expect(await call(shop, await createSigningKey('forged'))).toMatchObject(INVALID)
    expect(server.fetches).toBe(1)
    clock.set(at(31))
    expect(statuses(await forged())).toEqual([401])
    expect(await call(shop, await createSigningKey('forged'))).toMatchObject(INVALID)
    expect(server.fetches).toBe(2)
  })

  it('does not delay a token with a known key', async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    const forged = await flood(shop, await createSigningKey('forged'))
    await call(shop, key)
    clock.set(at(31))
    server.become('hanging')
    const waiting = forged()
    await eventually(() => server.fetches).toBe(2)

    expect(await call(shop, key)).toMatchObject(VERIFIED)
    server.become('up')
    expect(statuses(await waiting)).toEqual([401])
  })

  it('causes one fetch in thirty seconds while the key server fails, too', async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    const forged = await flood(shop, await createSigningKey('forged'))
    await call(shop, key)
    clock.set(at(31))
    server.become('failing')

    expect(statuses(await forged())).toEqual([503])
    expect(statuses(await forged())).toEqual([503])
    expect(server.fetches).toBe(2)
    expect(fetchWarnings(shop)).toHaveLength(1)
  })
})

describe('key rotation', () => {
  it('accepts the old key and the new key until the old key is removed', async () => {
    const { shop, server, clock, key: old, ...opened } = await open()
    await using _ = opened
    const next = await createSigningKey('two', 'EdDSA')
    expect(await call(shop, old)).toMatchObject(VERIFIED)

    server.keys.push(next.jwk)
    clock.set(at(31))
    expect(await call(shop, next)).toMatchObject(VERIFIED)
    expect(await call(shop, old)).toMatchObject(VERIFIED)
    server.keys.shift()
    clock.set(at(31 + 601))
    expect(await call(shop, old)).toMatchObject(INVALID)
    expect(await call(shop, next)).toMatchObject(VERIFIED)
    expect(server.fetches).toBe(3)
  })
})

describe('a key server that fails', () => {
  it('does not affect the keys that were fetched last, and is retried every thirty seconds', async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    await call(shop, key)
    server.become('failing')

    clock.set(at(601))
    for (let n = 0; n < 5; n++) expect(await call(shop, key)).toMatchObject(VERIFIED)
    expect(server.fetches).toBe(2)
    clock.set(at(632))
    for (let n = 0; n < 5; n++) expect(await call(shop, key)).toMatchObject(VERIFIED)
    await eventually(() => fetchWarnings(shop).length).toBe(2)
    expect(server.fetches).toBe(3)
  })

  it('delays no call after the first failure', async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    await call(shop, key)
    server.become('failing')
    clock.set(at(601))
    await call(shop, key)
    server.become('hanging')
    clock.set(at(632))

    expect(await call(shop, key)).toMatchObject(VERIFIED)
    await eventually(() => server.fetches).toBe(3)
  })

  it('before any key is fetched makes calls service_busy and not token_invalid, until it works', async () => {
    const { shop, server, clock, key, ...opened } = await open()
    await using _ = opened
    server.become('failing')

    const answers = [await call(shop, key), await call(shop, await createSigningKey('one')), await call(shop, key)]
    for (const answer of answers) {
      expect(answer).toMatchObject(BUSY)
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(answer.text).not.toMatch(/jwks|127\.0\.0\.1|key (set|server)/i)
    }
    expect(server.fetches).toBe(1)
    expect(fetchWarnings(shop)).toHaveLength(1)
    expect(loggedErrors(shop)).toEqual([])
    server.become('up')
    clock.set(at(2))
    expect(await call(shop, key)).toMatchObject(VERIFIED)
  })

  it('with a redirect is not followed', async () => {
    const { shop, server, key, ...opened } = await open()
    await using _ = opened
    await using other = new JwksServer([key])
    server.redirect = await other.url()

    expect(await call(shop, key)).toMatchObject(BUSY)
    expect(other.fetches).toBe(0)
  })
})

describe('a token header that names a key', () => {
  it.each(['jku', 'x5u', 'jwk'])('is ignored: %s', async (name) => {
    const { shop, key: _key, ...opened } = await open()
    await using _ = opened
    const forged = await createSigningKey('one')
    await using theirs = new JwksServer([forged])
    const url = (await theirs.url()).href

    const answer = await call(shop, forged, { [name]: name === 'jwk' ? forged.jwk : url, kid: 'one' })

    expect(answer).toMatchObject(INVALID)
    expect(theirs.fetches).toBe(0)
  })

  it('is refused when it has an unknown critical parameter', async () => {
    const { shop, key, ...opened } = await open()
    await using _ = opened
    const claims = { sub: 'root', role: 'admin', aud: 'pointwise', iss: 'pointwise', exp: Date.now() }
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, crit: ['x-custom'], 'x-custom': true })
      .sign(key.privateKey, { crit: { 'x-custom': true } })

    expect(await post(shop, 'stores.create', { token, input: { name: 'S' } })).toMatchObject(INVALID)
  })
})
