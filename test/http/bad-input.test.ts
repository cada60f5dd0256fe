import { appRouter } from '@pointwise/server'
import superjson from 'superjson'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { errorsIn, expectError, json, send } from '../setup/wire.ts'

const lines = { items: [{ productId: 1, quantity: 1, price: 1 }] }

/** An input of each mutation that its schema accepts. */
const VALID: Record<string, object> = {
  'orders.cancel': { orderId: 1 },
  'orders.checkout': lines,
  'orders.place': lines,
  'payments.pay': { orderId: 1 },
  'payments.refund': { orderId: 1 },
  'points.charge': { amount: 1 },
  'products.create': { storeId: 1, name: 'Mug', price: 1, stock: 1 },
  'products.remove': { productId: 1 },
  'products.restock': { productId: 1, quantity: 1 },
  'products.update': { productId: 1, name: 'Mug', price: 1 },
  'stores.create': { name: 'Kitchen' },
  'users.create': { name: 'Ada' },
  'users.remove': { userId: 1 },
}

const MUTATIONS = Object.keys(VALID)
const ADMINS = /^(products|stores)\.|^payments\.refund$|^users\.(create|remove)$/
const MAY_BE_ZERO = ['price', 'stock']
const MAY_BE_NEGATIVE = ['products.restock quantity']
const MAY_BE_LEFT_OUT = ['products.update name', 'products.update price']
const INT_MAX = 2_147_483_647

let shop: Shop
let tokens: { user: string; admin: string }
beforeAll(async () => {
  shop = await openShop()
  // The user does not exist: if anybody asked the database, the answer would be 401.
  tokens = { user: await shop.userToken(999_999), admin: await shop.adminToken() }
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
  shop.log.length = 0
})

async function expectInvalidText(procedure: string, body: string): Promise<void> {
  const token = ADMINS.test(procedure) ? tokens.admin : tokens.user
  const answer = await send(shop, `/trpc/${procedure}`, json(body, { authorization: `Bearer ${token}` }))
  expect.soft({ body: body.slice(0, 200), status: answer.status }).toEqual({ body: body.slice(0, 200), status: 400 })
  expectError(answer, 400, 'BAD_REQUEST')
  expect({ body, statements: shop.statements }).toEqual({ body, statements: [] })
  expect(errorsIn(shop)).toEqual([])
}

const expectInvalid = (procedure: string, input: unknown) =>
  expectInvalidText(procedure, JSON.stringify(superjson.serialize(input)))

/** The input with one field replaced: `quantity`, or `items.0.quantity`. */
function replaced(input: object, path: string, value: unknown): object {
  const copy = structuredClone(input)
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  const holder = parts.reduce<unknown>((each, part) => (each as Record<string, unknown>)[part], copy)
  if (value === undefined) delete (holder as Record<string, unknown>)[last]
  else (holder as Record<string, unknown>)[last] = value
  return copy
}

/** The paths of the fields that hold a number, or a text. */
function fieldsOf(input: object, type: 'number' | 'string', prefix = ''): string[] {
  return Object.entries(input).flatMap(([key, value]) => {
    if (typeof value === 'object') return fieldsOf(value, type, `${prefix}${key}.`)
    return typeof value === type ? [`${prefix}${key}`] : []
  })
}

test('every mutation there is is tried', () => {
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>
  const mutations = Object.keys(procedures).filter((path) => procedures[path]?._def.type === 'mutation')
  expect(mutations.toSorted()).toEqual(MUTATIONS)
})

describe('a number that is none, or out of range, is 400 without a statement:', () => {
  const never = [
    1.5,
    1e21,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    '1',
    '',
    1n,
    true,
    null,
    [],
    [1],
    {},
  ]
  const odd = [new Date(0), /1/, new Set([1]), new Map([[1, 1]]), new Error('1'), new URL('https://shop.example')]

  for (const procedure of MUTATIONS) {
    const input = VALID[procedure] ?? {}
    for (const path of fieldsOf(input, 'number')) {
      const field = path.split('.').at(-1) ?? ''
      const name = `${procedure} ${field}`
      test(name, async () => {
        const values: unknown[] = [...never, ...odd]
        if (!MAY_BE_LEFT_OUT.includes(name)) values.push(undefined)
        if (!MAY_BE_NEGATIVE.includes(name)) values.push(-1, -(2 ** 31))
        if (!MAY_BE_ZERO.includes(field)) values.push(0)
        if (['price', 'stock'].includes(field)) values.push(INT_MAX + 1)
        if (field === 'quantity') values.push(1_000_001, -1_000_001)
        for (const value of values) await expectInvalid(procedure, replaced(input, path, value))
      })
    }
  }
})

describe('a text that is none, or too long, is 400 without a statement:', () => {
  for (const procedure of MUTATIONS) {
    const input = VALID[procedure] ?? {}
    for (const path of fieldsOf(input, 'string')) {
      const name = `${procedure} ${path}`
      test(name, async () => {
        const values: unknown[] = ['', '   ', '\t\n', 'x'.repeat(201), 1, null, true, ['Mug'], {}, new Date(0)]
        if (!MAY_BE_LEFT_OUT.includes(name)) values.push(undefined)
        for (const value of values) await expectInvalid(procedure, replaced(input, path, value))
      })
    }
  }
})

describe('an input that is not what it should be, or holds a key too much, is 400 without a statement:', () => {
  for (const procedure of MUTATIONS) {
    const input = VALID[procedure] ?? {}
    test(procedure, async () => {
      for (const other of [undefined, null, 5, 'x', true, [], [input], {}]) await expectInvalid(procedure, other)
      for (const key of [
        'extra',
        'userId2',
        'status',
        'totalPrice',
        'toString',
        'constructor',
        'prototype',
        '__proto__',
      ]) {
        const text = JSON.stringify(input).replace('{', `{${JSON.stringify(key)}:{"polluted":true},`)
        await expectInvalidText(procedure, `{"json":${text}}`)
      }
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    })
  }

  test('also in an item', async () => {
    for (const key of ['extra', 'productName', '__proto__', 'constructor']) {
      const item = `{"productId":1,"quantity":1,"price":1,${JSON.stringify(key)}:{"polluted":true}}`
      await expectInvalidText('orders.place', `{"json":{"items":[${item}]}}`)
      await expectInvalidText('orders.checkout', `{"json":{"items":[${item}]}}`)
    }
  })

  test('also where the key would reach a prototype by superjson’s annotations', async () => {
    for (const meta of [
      { values: { ['__proto__']: { x: ['Date'] } } },
      { values: { 'constructor.prototype.polluted': ['Date'] } },
      { referentialEqualities: { amount: ['__proto__.polluted'] } },
      { referentialEqualities: { amount: ['constructor.prototype.polluted'] } },
      { values: { amount: ['nonsense'] } },
      { values: { amount: [['class', 'Refusal']] } },
      { values: { amount: [['custom', 'x']] } },
    ]) {
      await expectInvalidText('points.charge', JSON.stringify({ json: { amount: 1 }, meta }))
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

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
    ['a total beyond every number', Array.from({ length: 50 }, (_, index) => item(index + 1, INT_MAX, 1_000))],
    ['an object', { 0: item(1), length: 1 }],
  ] as const) {
    test(`${what} → 400 without a statement`, async () => {
      for (const procedure of both) await expectInvalid(procedure, { items })
    })
  }

  test('are accepted up to 50, and up to a total of 2,147,483,647', async () => {
    for (const items of [
      some(50),
      [item(1, INT_MAX)],
      [item(1, INT_MAX - 1), item(2, 1)],
      [item(1, 2_147_483, 1_000)],
    ]) {
      const body = JSON.stringify({ json: { items } })
      const answer = await send(shop, '/trpc/orders.place', json(body, { authorization: `Bearer ${tokens.user}` }))
      expect(expectError(answer, 401, 'UNAUTHORIZED').refusal).toEqual({ code: 'user_not_found', retry: 'never' })
    }
  })
})

test('an idempotency key that is no UUID is 400 without a statement', async () => {
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
    5,
    null,
    [uuid],
  ]
  for (const procedure of ['points.charge', 'orders.place', 'orders.checkout', 'products.restock']) {
    for (const idempotencyKey of keys) await expectInvalid(procedure, { ...VALID[procedure], idempotencyKey })
  }
})
