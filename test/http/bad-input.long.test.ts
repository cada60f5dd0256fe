import { appRouter } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectInvalid, expectInvalidBody, VALID } from '../setup/invalid-input.ts'
import { openShop, type Shop } from '../setup/shop.ts'

const MUTATIONS = Object.keys(VALID)
const MAY_BE_ZERO = ['price', 'stock']
const MAY_BE_NEGATIVE = ['products.restock quantity']
const MAY_BE_LEFT_OUT = ['products.update name', 'products.update price']
const INT_MAX = 2_147_483_647

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

/** Returns the input with one field replaced, such as `quantity` or `items.0.quantity`. */
function replaced(input: object, path: string, value: unknown): object {
  const copy = structuredClone(input)
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  const holder = parts.reduce<unknown>((each, part) => (each as Record<string, unknown>)[part], copy)
  if (value === undefined) delete (holder as Record<string, unknown>)[last]
  else (holder as Record<string, unknown>)[last] = value
  return copy
}

/** Returns the paths of the fields that contain a number, or a string. */
function fieldsOf(input: object, type: 'number' | 'string', prefix = ''): string[] {
  return Object.entries(input).flatMap(([key, value]) => {
    if (typeof value === 'object') return fieldsOf(value, type, `${prefix}${key}.`)
    return typeof value === type ? [`${prefix}${key}`] : []
  })
}

test('these tests cover every mutation', () => {
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>
  const mutations = Object.keys(procedures).filter((path) => procedures[path]?._def.type === 'mutation')
  expect(mutations.toSorted()).toEqual(MUTATIONS)
})

describe('a number of the wrong type or out of range is 400 without a statement:', () => {
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
        for (const value of values) await expectInvalid(shop, procedure, replaced(input, path, value))
      })
    }
  }
})

describe('a string of the wrong type, empty or too long is 400 without a statement:', () => {
  for (const procedure of MUTATIONS) {
    const input = VALID[procedure] ?? {}
    for (const path of fieldsOf(input, 'string')) {
      const name = `${procedure} ${path}`
      test(name, async () => {
        const values: unknown[] = ['', '   ', '\t\n', 'x'.repeat(201), 1, null, true, ['Mug'], {}, new Date(0)]
        if (!MAY_BE_LEFT_OUT.includes(name)) values.push(undefined)
        for (const value of values) await expectInvalid(shop, procedure, replaced(input, path, value))
      })
    }
  }
})

describe('an input of the wrong type, or with an unknown key, is 400 without a statement:', () => {
  for (const procedure of MUTATIONS) {
    const input = VALID[procedure] ?? {}
    test(procedure, async () => {
      for (const other of [undefined, null, 5, 'x', true, [], [input], {}]) await expectInvalid(shop, procedure, other)
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
        await expectInvalidBody(shop, procedure, `{"json":${text}}`)
      }
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    })
  }

  test('in an item, too', async () => {
    for (const key of ['extra', 'productName', '__proto__', 'constructor']) {
      const item = `{"productId":1,"quantity":1,"price":1,${JSON.stringify(key)}:{"polluted":true}}`
      await expectInvalidBody(shop, 'orders.place', `{"json":{"items":[${item}]}}`)
      await expectInvalidBody(shop, 'orders.checkout', `{"json":{"items":[${item}]}}`)
    }
  })

  test('with superjson annotations that would reach a prototype, too', async () => {
    for (const meta of [
      { values: { ['__proto__']: { x: ['Date'] } } },
      { values: { 'constructor.prototype.polluted': ['Date'] } },
      { values: { amount: ['unknown'] } },
      { values: { amount: [['class', 'Refusal']] } },
      { values: { amount: [['custom', 'x']] } },
    ]) {
      await expectInvalidBody(shop, 'points.charge', JSON.stringify({ json: { amount: 1 }, meta }))
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
