import { base64url, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SECRET } from '../setup/configuration.ts'
import { get, post } from '../setup/raw-http.ts'
import { expectRefused } from '../setup/refusals.ts'
import { openShop, type Shop } from '../setup/shop.ts'

const HOUR = 3_600
const now = () => Math.floor(Date.now() / 1_000)

interface Claims {
  [claim: string]: unknown
}

/** Signs a token of user 1 that is valid except for these claims; undefined removes a claim. */
function sign(claims: Claims = {}, secret = SECRET): Promise<string> {
  const given = { sub: '1', aud: 'pointwise', iss: 'pointwise', exp: now() + HOUR, ...claims }
  const payload = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(secret)
}

async function unsigned(alg: string): Promise<string> {
  const [, payload] = (await sign()).split('.')
  return `${base64url.encode(JSON.stringify({ alg }))}.${payload}.`
}

const INVALID: Record<string, () => string | Promise<string>> = {
  'that is malformed': () => 'abc',
  'of three malformed parts': () => 'a.b.c',
  'signed with another secret': () => sign({}, new TextEncoder().encode('another secret of thirty-two bytes')),
  'with a changed claim': async () => {
    const [header, , signature] = (await sign()).split('.')
    const [, payload] = (await sign({ sub: '2' })).split('.')
    return `${header}.${payload}.${signature}`
  },
  'without its signature': async () => (await sign()).replace(/[^.]+$/, ''),
  'of the algorithm none': () => unsigned('none'),
  'of the algorithm None': () => unsigned('None'),
  'of another algorithm': () =>
    new SignJWT({ sub: '1', aud: 'pointwise', iss: 'pointwise', exp: now() + HOUR })
      .setProtectedHeader({ alg: 'HS512' })
      .sign(SECRET),
  'for another audience': () => sign({ aud: 'elsewhere' }),
  'for no audience': () => sign({ aud: undefined }),
  'of another issuer': () => sign({ iss: 'pointwise.example' }),
  'of no issuer': () => sign({ iss: undefined }),
  'that expired more than five seconds ago': () => sign({ exp: now() - 6 }),
  'that never expires': () => sign({ exp: undefined }),
  'that is not valid yet': () => sign({ nbf: now() + HOUR }),
  ...Object.fromEntries(
    [
      ...['01', '1.5', 'abc', '-1', '0', '', ' 1', '1\n', '1e3', '0x1', '9007199254740992', '99999999999999999999'],
      ...[1, ['1'], { id: '1' }, true, null],
    ].map((sub) => [`of the subject ${JSON.stringify(sub)}`, () => sign({ sub })]),
  ),
  'of no subject': () => sign({ sub: undefined }),
  'of no subject, with an unknown role': () => sign({ sub: undefined, role: 'Admin' }),
}

describe('a token', () => {
  it('identifies the user of its subject', async () => {
    await using shop = await openShop()
    const { id, name } = await shop.givenUser()
    const claims = { sub: String(id), aud: ['elsewhere', 'pointwise'], nbf: now() - HOUR }

    expect(await shop.client({ token: await sign(claims) }).users.me.query()).toMatchObject({ id, name })
  })

  it('is required by user and admin procedures: token_missing', async () => {
    await using shop = await openShop()
    const client = shop.client()

    await expectRefused(shop, () => client.points.charge.mutate({ amount: 1 }), 401, { code: 'token_missing' })
    await expectRefused(shop, () => client.stores.create.mutate({ name: 'S' }), 401, { code: 'token_missing' })
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic YTpi', await sign()]) {
      const answer = await get(shop, 'users.me', { headers: { authorization } })
      expect(answer).toMatchObject({ status: 401, refusal: { code: 'token_missing', retry: 'never' } })
    }
  })

  describe('that is invalid', () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop()
      await shop.givenUser()
    })
    afterAll(() => shop[Symbol.asyncDispose]())

    it.each(Object.entries(INVALID))('%s is refused: token_invalid', async (_, make) => {
      const client = shop.client({ token: await make() })

      await expectRefused(shop, () => client.points.charge.mutate({ amount: 1 }), 401, { code: 'token_invalid' })
    })
  })

  it('that is refused executes no statement, and the response does not reveal the reason', async () => {
    await using shop = await openShop()
    const tokens = await Promise.all(Object.values(INVALID).map((make) => make()))
    shop.statements.length = 0

    const texts = await Promise.all(
      tokens.map(async (token) => (await get(shop, 'users.me', { token })).text.replace(/"requestId":"[^"]+"/, '')),
    )

    expect(new Set(texts).size).toBe(1)
    expect(shop.statements).toEqual([])
  })

  it('is not verified by public procedures', async () => {
    await using shop = await openShop()

    expect(await shop.client({ token: 'abc' }).products.list.query()).toMatchObject({ totalItems: 0 })
  })

  it('of a user cannot call an admin procedure: not_allowed', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.users.create.mutate({ name: 'Eve' }), 403, { code: 'not_allowed' })
  })

  it('of an admin who is not a user cannot call a user procedure: not_allowed', async () => {
    await using shop = await openShop()
    for (const sub of ['root', '01', '9999999999999999', 1, ['1'], undefined]) {
      const client = shop.client({ token: await sign({ sub, role: 'admin' }) })
      await expectRefused(shop, () => client.points.charge.mutate({ amount: 1 }), 403, { code: 'not_allowed' })
    }
  })

  it('of an admin need not identify a user', async () => {
    await using shop = await openShop()
    const claims = [{ sub: 'root' }, { sub: '4711' }, { sub: '9999999999999999' }, { sub: 1 }, { sub: undefined }]
    for (const [n, claim] of claims.entries()) {
      const client = shop.client({ token: await sign({ ...claim, role: 'admin' }) })
      expect(await client.stores.create.mutate({ name: `store ${n}` })).toMatchObject({ name: `store ${n}` })
    }
  })

  it('of an admin with the id of an unknown user cannot call a user procedure: user_not_found', async () => {
    await using shop = await openShop()
    const client = shop.client({ token: await sign({ sub: '4711', role: 'admin' }) })

    await expectRefused(shop, () => client.points.balance.query(), 401, { code: 'user_not_found' })
  })

  it('is accepted with any case of the word Bearer', async () => {
    await using shop = await openShop()
    const { id } = await shop.givenUser()

    const headers = { authorization: `bEARER ${await shop.userToken(id)}` }
    expect(await post(shop, 'points.charge', { input: { amount: 1 }, headers })).toMatchObject({ status: 200 })
  })
})
