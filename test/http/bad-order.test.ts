import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectInvalid, sendAsUnknownUser, VALID } from '../setup/invalid-input.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { expectError } from '../setup/trpc-wire.ts'

const INT_MAX = 2_147_483_647

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

describe('the items of an order', () => {
  const item = (productId: number, price = 1, quantity = 1) => ({ productId, quantity, price })
  const some = (count: number) => Array.from({ length: count }, (_, index) => item(index + 1))
  const both = ['orders.place', 'orders.checkout']

  for (const [what, items] of [
    ['none', []],
    ['51', some(51)],
    ['a product twice', [item(1), item(2), item(1)]],
    ['a quantity of 1,001', [item(1, 1, 1_001)]],
    ['a total of 2,147,483,648', [item(1, INT_MAX), item(2, 1)]],
    ['a total above every safe integer', Array.from({ length: 50 }, (_, index) => item(index + 1, INT_MAX, 1_000))],
    ['an object', { 0: item(1), length: 1 }],
  ] as const) {
    test(`${what} → 400 without a statement`, async () => {
      for (const procedure of both) await expectInvalid(shop, procedure, { items })
    })
  }

  test('are valid up to 50, and up to a total of 2,147,483,647', async () => {
    for (const items of [
      some(50),
      [item(1, INT_MAX)],
      [item(1, INT_MAX - 1), item(2, 1)],
      [item(1, 2_147_483, 1_000)],
    ]) {
      const answer = await sendAsUnknownUser(shop, 'orders.place', JSON.stringify({ json: { items } }))
      expect(expectError(answer, 401, 'UNAUTHORIZED').refusal).toEqual({ code: 'user_not_found', retry: 'never' })
    }
  })
})

test('an idempotency key that is not a UUID is 400 without a statement', async () => {
  const uuid = '6f1a2f0e-4c1b-4f5e-9d0a-2f3b4c5d6e7f'
  const keys = [
    '',
    'x',
    uuid.slice(1),
    `${uuid}0`,
    `{${uuid}}`,
    ` ${uuid}`,
    `${uuid}\n`,
    uuid.replaceAll('-', ''),
    'z'.repeat(36),
    `' or 1=1 -- `,
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    5,
    null,
    [uuid],
  ]
  for (const procedure of ['points.charge', 'orders.place', 'orders.checkout', 'products.restock']) {
    for (const idempotencyKey of keys) await expectInvalid(shop, procedure, { ...VALID[procedure], idempotencyKey })
  }
})
