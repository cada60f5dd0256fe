import superjson from 'superjson'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newKey, openShop, type Shop } from '../setup/shop.ts'
import { expectError, json, loggedErrors, send } from '../setup/trpc-wire.ts'

let shop: Shop
let user: string
let admin: string
let unknownUser: string
beforeAll(async () => {
  shop = await openShop()
  user = (await shop.givenUser()).token
  admin = await shop.adminToken()
  unknownUser = await shop.userToken(999_999)
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
  shop.log.length = 0
})

const get = (procedure: string, input: unknown, token: string) => {
  const text = encodeURIComponent(JSON.stringify(superjson.serialize(input)))
  return send(shop, `/trpc/${procedure}?input=${text}`, { headers: { authorization: `Bearer ${token}` } })
}
const post = (procedure: string, input: unknown, token: string) =>
  send(
    shop,
    `/trpc/${procedure}`,
    json(JSON.stringify(superjson.serialize(input)), { authorization: `Bearer ${token}` }),
  )

const cursorOf = (text: string) => Buffer.from(text).toString('base64url')
const NO_ID = [0, -1, 1.5, 2 ** 53, Number.NaN, '1', 1n, null, [], {}]
const NO_CURSOR = [
  'x', ' ', '!', '../..', `' or 1=1`, 'a'.repeat(65), 5, null, [],
  ...['', 'after:', 'after:x', 'after:0', 'after:-1', 'after:1.5', 'after:01', 'after:1e3', 'after: 1', 'after:NaN', `after:${2 ** 53}`, 'before:5', '5'].map(cursorOf),
  `${cursorOf('after:5')}=`,
] // biome-ignore format: a list of words

describe('a query with an invalid input is 400 without a statement:', () => {
  for (const [procedure, inputs] of Object.entries({
    'products.list': [
      ...[...NO_ID, 2 ** 31].map((page) => ({ page })),
      ...NO_ID.map((storeId) => ({ storeId })),
      { size: 5 },
      5,
      'x',
    ],
    'products.scroll': [
      ...NO_CURSOR.map((cursor) => ({ cursor })),
      ...[...NO_ID, 51].map((limit) => ({ limit })),
      { page: 1 },
    ],
    'products.get': [...NO_ID.map((productId) => ({ productId })), {}, undefined, { productId: 1, extra: 1 }],
    'points.histories': [
      ...NO_CURSOR.map((cursor) => ({ cursor })),
      ...[...NO_ID, 51].map((limit) => ({ limit })),
      { userId: 1 },
    ],
    'orders.list': [
      ...NO_CURSOR.map((cursor) => ({ cursor })),
      ...[...NO_ID, 51].map((limit) => ({ limit })),
      { status: 'lost' },
      { status: null },
      { userId: 1 },
    ],
    'orders.get': [...NO_ID.map((orderId) => ({ orderId })), {}, undefined, { orderId: 1, userId: 1 }],
    'payments.get': [...NO_ID.map((orderId) => ({ orderId })), {}, undefined],
  } as Record<string, unknown[]>)) {
    test(procedure, async () => {
      for (const input of inputs) {
        const answer = await get(procedure, input, unknownUser)
        expect.soft({ input, status: answer.status }).toEqual({ input, status: 400 })
        expectError(answer, 400, 'BAD_REQUEST')
        expect({ input, statements: shop.statements }).toEqual({ input, statements: [] })
      }
      expect(loggedErrors(shop)).toEqual([])
    })
  }

  test('with a key named __proto__, too', async () => {
    const input = encodeURIComponent('{"json":{"productId":1,"__proto__":{"polluted":true}}}')
    expectError(await send(shop, `/trpc/products.get?input=${input}`), 400, 'BAD_REQUEST')
    expect(shop.statements).toEqual([])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('an unknown id is 404, with a code for what was not found:', () => {
  const items = (productId: number) => ({ items: [{ productId, quantity: 1, price: 1 }], idempotencyKey: newKey() })
  for (const unknownId of [999_999, Number.MAX_SAFE_INTEGER]) {
    for (const [procedure, send, input, who, code] of [
      ['products.get', get, { productId: unknownId }, 'user', 'product_not_found'],
      ['products.list', get, { storeId: unknownId }, 'user', 'store_not_found'],
      ['products.scroll', get, { storeId: unknownId }, 'user', 'store_not_found'],
      ['orders.get', get, { orderId: unknownId }, 'user', 'order_not_found'],
      ['payments.get', get, { orderId: unknownId }, 'user', 'payment_not_found'],
      ['orders.place', post, items(unknownId), 'user', 'product_not_found'],
      ['orders.checkout', post, items(unknownId), 'user', 'product_not_found'],
      ['orders.cancel', post, { orderId: unknownId }, 'user', 'order_not_found'],
      ['payments.pay', post, { orderId: unknownId }, 'user', 'order_not_found'],
      ['payments.refund', post, { orderId: unknownId }, 'admin', 'order_not_found'],
      ['products.create', post, { storeId: unknownId, name: 'Mug', price: 1, stock: 1 }, 'admin', 'store_not_found'],
      ['products.update', post, { productId: unknownId, price: 1 }, 'admin', 'product_not_found'],
      ['products.remove', post, { productId: unknownId }, 'admin', 'product_not_found'],
      ['products.restock', post, { productId: unknownId, quantity: 1 }, 'admin', 'product_not_found'],
      ['users.remove', post, { userId: unknownId }, 'admin', 'user_unknown'],
    ] as const) {
      test(`${procedure} of ${unknownId}`, async () => {
        const answer = await send(procedure, input, who === 'admin' ? admin : user)
        expect(expectError(answer, 404, 'NOT_FOUND').refusal).toMatchObject({ code, retry: 'never' })
        expect(loggedErrors(shop)).toEqual([])
      })
    }
  }
})
