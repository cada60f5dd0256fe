import { appRouter } from '@pointwise/server'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { VALID } from '../setup/invalid-input.ts'
import { type GivenUser, newKey, openShop, type Shop } from '../setup/shop.ts'
import { expectError, json, send } from '../setup/trpc-wire.ts'

const WITH_KEY = ['orders.checkout', 'orders.place', 'points.charge', 'products.restock']
const WITHOUT_KEY = Object.keys(VALID).filter((path) => !WITH_KEY.includes(path))
/** A parameter that tRPC's adapter ignores, and that makes the fast path leave the request to the adapter. */
const PATHS = { 'on the fast path': '', 'through tRPC’s adapter': '?path=adapter' }
const NIL = '00000000-0000-0000-0000-000000000000'

let shop: Shop
let user: GivenUser
let admin: string
beforeAll(async () => {
  shop = await openShop()
  user = await shop.givenUser({ points: 1_000 })
  admin = await shop.adminToken()
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
})

const call = (path: string, input: object, key: string | undefined, token = user.token) => {
  const headers = { authorization: `Bearer ${token}`, ...(key !== undefined && { 'idempotency-key': key }) }
  return send(shop, `/trpc/${path}`, json(JSON.stringify({ json: input }), headers))
}
const resultOf = ({ text }: { text: string }) => JSON.parse(text).result.data.json
const balance = async () => (await user.client.points.balance.query()).balance

test('these tests know every mutation that has a key', () => {
  const shapes = appRouter._def.procedures as unknown as Record<
    string,
    { _def: { type: string; inputs: { shape?: object }[] } }
  >
  const found = Object.keys(shapes).filter((path) => {
    const { type, inputs } = shapes[path]?._def ?? { type: '', inputs: [] }
    return type === 'mutation' && 'idempotencyKey' in (inputs[0]?.shape ?? {})
  })
  expect(found.toSorted()).toEqual(WITH_KEY)
})

for (const [how, query] of Object.entries(PATHS)) {
  describe(how, () => {
    test('the header is the key of the call, bare or in double quotes, in any case', async () => {
      const key = newKey()
      const before = await balance()
      const spellings = [key, `"${key}"`, key.toUpperCase(), `"${key.toUpperCase()}"`, ` ${key} `]
      const charges = []
      for (const spelling of spellings)
        charges.push(resultOf(await call(`points.charge${query}`, { amount: 5 }, spelling)))
      charges.push(resultOf(await call(`points.charge${query}`, { amount: 5, idempotencyKey: key }, undefined)))
      expect(new Set(charges.map(({ historyId }) => historyId)).size).toBe(1)
      expect(charges.map(({ replayed }) => replayed)).toEqual([false, true, true, true, true, true])
      expect(await balance()).toBe(before + 5)
    })

    test('every procedure that has a key takes it from the header', async () => {
      const product = await shop.givenProduct({ price: 1, stock: 100 })
      const items = [{ productId: product.id, quantity: 1, price: 1 }]
      for (const [path, input, token] of [
        ['orders.place', { items }, user.token],
        ['orders.checkout', { items }, user.token],
        ['products.restock', { productId: product.id, quantity: 1 }, admin],
      ] as const) {
        const key = newKey()
        const first = resultOf(await call(path + query, input, key, token))
        const second = resultOf(await call(path + query, { ...input, idempotencyKey: key }, key, token))
        expect({ ...second, replayed: true }).toEqual({ ...first, replayed: true })
      }
      expect(await shop.asAdmin().products.get({ productId: product.id })).toMatchObject({ stock: 100 })
    })

    test('the header and the input can both contain the key, but not different keys: 400', async () => {
      const key = newKey()
      const path = `points.charge${query}`
      expect((await call(path, { amount: 1, idempotencyKey: key.toUpperCase() }, `"${key}"`)).status).toBe(200)
      shop.statements.length = 0
      const answer = await call(path, { amount: 1, idempotencyKey: newKey() }, key)
      expect(expectError(answer, 400, 'BAD_REQUEST').issues).toEqual([
        { path: ['idempotencyKey'], message: expect.stringContaining('must be equal to the header Idempotency-Key') },
      ])
      expect(shop.statements).toEqual([])
    })

    test('a header that is not a key is 400 without a statement', async () => {
      const key = newKey()
      const keys = ['', '""', 'x', `"${key}`, `${key}"`, `""${key}""`, `'${key}'`, `{${key}}`, `"${key}";a=1`]
      for (const header of [...keys, `${key}, ${key}`, key.replaceAll('-', ''), `${key}0`, `urn:uuid:${key}`, NIL]) {
        for (const path of WITH_KEY) {
          const token = path === 'products.restock' ? admin : user.token
          const answer = await call(path + query, VALID[path] ?? {}, header, token)
          expect.soft({ path, header, status: answer.status }).toEqual({ path, header, status: 400 })
          expect(expectError(answer, 400, 'BAD_REQUEST').issues[0].path).toEqual(['idempotencyKey'])
        }
      }
      expect(shop.statements).toEqual([])
    })

    test('a mutation without a key refuses the header: 400 without a statement', async () => {
      for (const path of WITHOUT_KEY) {
        const token = /^(orders|payments\.pay)/.test(path) ? user.token : admin
        const answer = await call(path + query, VALID[path] ?? {}, newKey(), token)
        expect.soft({ path, status: answer.status }).toEqual({ path, status: 400 })
        expect(expectError(answer, 400, 'BAD_REQUEST').issues[0].message).toContain('idempotencyKey')
      }
      expect(shop.statements).toEqual([])
    })

    test('a token is checked before the header', async () => {
      expectError(await call(`points.charge${query}`, { amount: 1 }, 'x', 'no token'), 401, 'UNAUTHORIZED')
    })

    test('a query ignores the header', async () => {
      const headers = { authorization: `Bearer ${user.token}`, 'idempotency-key': 'x' }
      expect(await send(shop, `/trpc/points.balance${query}`, { headers })).toMatchObject({ status: 200 })
    })
  })
}

describe('a batch', () => {
  const batch = (paths: string[], inputs: object[], key: string) => {
    const body = JSON.stringify(Object.fromEntries(inputs.map((input, index) => [index, { json: input }])))
    const headers = { authorization: `Bearer ${user.token}`, 'idempotency-key': key }
    return send(shop, `/trpc/${paths.join(',')}?batch=1`, json(body, headers))
  }

  test('of one call takes the key from the header', async () => {
    const key = newKey()
    const before = await balance()
    for (let n = 0; n < 2; n++)
      expect(await batch(['points.charge'], [{ amount: 3 }], key)).toMatchObject({ status: 200 })
    expect(await balance()).toBe(before + 3)
  })

  test('of several mutations refuses the header, and executes none of them', async () => {
    const before = await balance()
    shop.statements.length = 0
    for (const paths of [
      ['points.charge', 'points.charge'],
      ['points.charge', 'nothing.here'],
    ]) {
      const answer = await batch(paths, [{ amount: 3 }, { amount: 3 }], newKey())
      // Every call of the batch fails; 207 if they fail for different reasons.
      expect([400, 207]).toContain(answer.status)
      expect(answer.text).toContain('cannot apply to a batch')
      expect(answer.text).not.toContain('"result"')
    }
    expect(shop.statements).toEqual([])
    expect(await balance()).toBe(before)
  })

  test('of several queries ignores the header', async () => {
    const headers = { 'idempotency-key': newKey() }
    expect((await send(shop, '/trpc/stores.list,stores.list?batch=1', { headers })).status).toBe(200)
  })
})

test('a header that is sent twice is 400', async () => {
  const headers = new Headers({ authorization: `Bearer ${user.token}`, 'content-type': 'application/json' })
  for (let n = 0; n < 2; n++) headers.append('idempotency-key', newKey())
  const answer = await send(shop, '/trpc/points.charge', { method: 'POST', headers, body: '{"json":{"amount":1}}' })
  expectError(answer, 400, 'BAD_REQUEST')
})
