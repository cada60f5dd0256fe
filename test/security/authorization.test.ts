import { appRouter } from '@pointwise/server'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { snapshot } from '../setup/database.ts'
import { VALID } from '../setup/invalid-input.ts'
import { get, openRefusedStream, post, type RawCall } from '../setup/raw-http.ts'
import { openShop, type Shop } from '../setup/shop.ts'

/** The procedures that can be called without a token. All others need one. */
const PUBLIC = [
  'stores.list',
  'products.list',
  'products.scroll',
  'products.get',
  'products.topSelling',
  'products.trending',
  'products.onStock',
]

/** The procedures that only an admin can call. */
const ADMINS = [
  'users.create',
  'users.remove',
  'stores.create',
  'products.create',
  'products.update',
  'products.remove',
  'products.restock',
  'payments.refund',
  'audit.run',
]

const QUERIES: Record<string, object> = {
  'products.get': { productId: 1 },
  'orders.get': { orderId: 1 },
  'payments.get': { orderId: 1 },
  'products.onStock': { productIds: [1] },
}

interface ProcedureDef {
  type: 'query' | 'mutation' | 'subscription'
  inputs: unknown[]
}
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: ProcedureDef }>)
const allPaths = procedures.map(([path]) => path)
const inputOf = (path: string) => VALID[path] ?? QUERIES[path]

let shop: Shop
let user: string
let admin: string
let before: Awaited<ReturnType<typeof snapshot>>
beforeAll(async () => {
  shop = await openShop()
  user = (await shop.givenUser({ points: 100 })).token
  admin = await shop.adminToken()
  before = await snapshot(shop.db)
})
afterAll(async () => {
  expect(await snapshot(shop.db)).toEqual(before)
  await shop[Symbol.asyncDispose]()
})
beforeEach(() => {
  shop.statements.length = 0
})

const SENDERS = { query: get, mutation: post, subscription: openRefusedStream }
const call = (path: string, rawCall: RawCall) => {
  const type = procedures.find(([each]) => each === path)?.[1]._def.type ?? 'mutation'
  return SENDERS[type](shop, path, rawCall)
}

test('the lists contain only existing procedures', () => {
  expect([...PUBLIC, ...ADMINS].filter((path) => !allPaths.includes(path))).toEqual([])
})

describe('without a token', () => {
  test.each(allPaths.filter((path) => !PUBLIC.includes(path)))('%s is refused: token_missing', async (path) => {
    const answer = await call(path, { input: inputOf(path) })
    expect(answer).toMatchObject({ status: 401, refusal: { code: 'token_missing' } })
    expect(shop.statements).toEqual([])
  })

  test.each(PUBLIC)('%s can be called', async (path) => {
    const { refusal, status } = await call(path, { input: inputOf(path) })
    expect(status === 200 || (refusal as { code: string }).code === 'product_not_found').toBe(true)
  })
})

describe('with a user’s token', () => {
  test.each(ADMINS)('%s is refused: not_allowed', async (path) => {
    const answer = await call(path, { token: user, input: inputOf(path) })
    expect(answer).toMatchObject({ status: 403, refusal: { code: 'not_allowed' } })
    expect(shop.statements).toEqual([])
  })

  test.each(['Admin', 'ADMIN', ' admin', ['admin'], { admin: true }, true, 1])(
    'the role %j grants nothing: not_allowed',
    async (role) => {
      const token = await shop.token({ sub: '1', role })
      expect(await call('users.create', { token, input: { name: 'Eve' } })).toMatchObject({ status: 403 })
    },
  )

  test('a role in the input, the URL or a header is ignored', async () => {
    const headers = { 'x-role': 'admin', role: 'admin' }
    expect(await post(shop, 'users.create?role=admin', { token: user, headers, input: { name: 'Eve' } })).toMatchObject(
      {
        status: 403,
      },
    )
  })
})

describe('an unknown key', () => {
  const keys = ['role', 'userId', 'admin', 'status', 'totalPrice', 'balance', 'createdAt']
  const withInput = procedures.filter(([, { _def }]) => _def.inputs.length > 0).map(([path]) => path)

  test.each(withInput)('makes the input of %s invalid', async (path) => {
    const token = ADMINS.includes(path) ? admin : user
    const valid = inputOf(path) ?? {}
    for (const key of keys.filter((key) => !(key in valid) && !(path === 'orders.list' && key === 'status'))) {
      const answer = await call(path, { token, input: { ...valid, [key]: 1 } })
      expect({ key, status: answer.status }).toEqual({ key, status: 400 })
    }
    expect(shop.statements).toEqual([])
  })

  test('is ignored by a procedure without input', async () => {
    const without = allPaths.filter((path) => !withInput.includes(path))
    expect(without.toSorted()).toEqual(
      ['points.balance', 'products.topSelling', 'products.trending', 'stores.list', 'users.me'].toSorted(),
    )
    for (const path of without) {
      expect(await call(path, { token: user, input: { userId: 2 } })).toMatchObject({ status: 200 })
    }
    const { text } = await call('points.balance', { token: user, input: { userId: 2 } })
    expect(JSON.parse(text).result.data.json).toMatchObject({ balance: 100 })
  })
})
