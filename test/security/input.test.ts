import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { type Answer, expectError, json, loggedErrors, send } from '../setup/trpc-wire.ts'

/** Building an array of this length takes half a second, and a caller could send a length a hundred times larger. */
const LONG = 10_000_000
const ANSWER_BYTES_MAX = 4_000

let shop: Shop
let token: string
beforeAll(async () => {
  shop = await openShop()
  token = (await shop.givenUser()).token
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
})

const post = (procedure: string, body: string, headers: Record<string, string> = {}) =>
  send(shop, `/trpc/${procedure}`, json(body, { authorization: `Bearer ${token}`, ...headers }))
const get = (procedure: string, input: string) =>
  send(shop, `/trpc/${procedure}?input=${encodeURIComponent(input)}`, { headers: { authorization: `Bearer ${token}` } })
const batch = (call: string) => post('points.charge,points.charge?batch=1', `{"0":${call},"1":${call}}`)

function expectInvalid(answer: Answer): void {
  expectError(answer, 400, 'BAD_REQUEST')
  expect(answer.text.length).toBeLessThan(ANSWER_BYTES_MAX)
  expect(shop.statements).toEqual([])
  expect(loggedErrors(shop)).toEqual([])
}

/** Expects that the input was rejected before its schema was applied. */
function expectUnreadable(answer: Answer): void {
  expectInvalid(answer)
  expect(answer.text).toContain('The request could not be read.')
}

describe('an input that superjson would turn into something other than JSON is rejected:', () => {
  const marked = (value: unknown, ...mark: unknown[]) =>
    JSON.stringify({ json: { amount: value }, meta: { values: { amount: mark }, v: 1 } })
  const calls: Record<string, string> = {
    'an array built from its length': marked({ length: LONG }, ['typed-array', 'Float64Array']),
    'an array of bytes': marked(LONG * 8, ['typed-array', 'Uint8Array']),
    'a regular expression': marked('/(a+)+$/', 'regexp'),
    'a set': marked([1], 'set'),
    'a map': marked([[1, 1]], 'map'),
    'an error': marked({ name: 'Error', message: '', stack: 'x' }, 'Error'),
    'a class': marked({}, ['class', 'Object']),
    'a symbol': marked('iterator', ['symbol', 'iterator']),
    'a custom value': marked({}, ['custom', 'any']),
    'an unknown type': marked(1, 'function'),
    'a nested annotation': marked({ a: 1 }, 'undefined', { a: ['undefined'] }),
    'annotations that are a string': JSON.stringify({ json: { amount: 1 }, meta: { values: 'undefined' } }),
  }
  for (const [what, call] of Object.entries(calls)) {
    test(`400 for ${what}, in a POST, a GET and a batch`, async () => {
      expectUnreadable(await post('points.charge', call))
      expectUnreadable(await get('orders.get', call))
      expectUnreadable(await batch(call))
    })
  }

  test.each([[['amount']], { amount: ['__proto__.polluted'] }, { amount: ['constructor.prototype.polluted'] }])(
    'a referential equality is ignored: %j',
    async (referentialEqualities) => {
      const answer = await post(
        'points.charge',
        JSON.stringify({ json: { amount: 1 }, meta: { referentialEqualities } }),
      )
      expect(JSON.parse(answer.text).result.data.json).toMatchObject({ amount: 1 })
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    },
  )

  test('400 for 6,000 annotations on a path of 60,000 segments', async () => {
    const marks = Array.from({ length: 6_000 }, (_, n) => `"${n}":["undefined"]`).join()
    const values = `{"${Array(60_000).fill('a').join('.')}":{${marks}}}`
    expectUnreadable(await post('points.charge', `{"json":{"amount":1},"meta":{"values":${values},"v":1}}`))
  })
})

describe('the annotation of an undefined value', () => {
  test('is accepted, because the SDK sends it', async () => {
    const client = shop.client({ token })
    expect(await client.products.list.query({ page: undefined, storeId: undefined })).toMatchObject({ page: 1 })
    expect(await client.orders.list.query(undefined)).toEqual({ items: [], nextCursor: null })
  })

  for (const path of ['__proto__.polluted', 'constructor.prototype.polluted', 'amount.__proto__.polluted']) {
    test(`changes no prototype: ${path}`, async () => {
      const values = JSON.parse(`{${JSON.stringify(path)}:["undefined"]}`)
      // Not enumerable, so that timers of this process, which iterate over objects, do not see it.
      const property = { value: 'as before', writable: true, configurable: true }
      Object.defineProperty(Object.prototype, 'polluted', property)
      try {
        await post('points.charge', JSON.stringify({ json: { amount: -1 }, meta: { values, v: 1 } }))
        expect(({} as Record<string, unknown>).polluted).toBe('as before')
      } finally {
        delete (Object.prototype as Record<string, unknown>).polluted
      }
    })
  }
})

describe('the size of an error response does not depend on the number of errors:', () => {
  for (const [what, body] of [
    ['20,000 unknown keys', `{"json":{"items":[],${Array.from({ length: 20_000 }, (_, n) => `"k${n}":0`).join()}}}`],
    ['a key of 200,000 characters', `{"json":{"items":[],"${'k'.repeat(200_000)}":0}}`],
    [
      '50 items with 500 errors each',
      `{"json":{"items":[${Array(50).fill(`{${Array.from({ length: 500 }, (_, n) => `"k${n}":0`)}}`)}]}}`,
    ],
    ['100,000 items', `{"json":{"items":[${Array(100_000).fill(0)}]}}`],
  ] as const) {
    test(what, async () => expectInvalid(await post('orders.place', body)))
  }
})

describe('nesting', () => {
  const nested = (depth: number) => `{"json":{"amount":${'['.repeat(depth)}${']'.repeat(depth)}}}`
  test('100,000 deep in a body is 400', async () => expectInvalid(await post('points.charge', nested(100_000))))

  test('as deep as a URL can contain is 400', async () => {
    const deep = `{"json":{"orderId":${'['.repeat(7_000)}${']'.repeat(7_000)}}}`.replaceAll('"', '%22')
    const answer = await send(shop, `/trpc/orders.get?input=${deep}`, { headers: { authorization: `Bearer ${token}` } })
    expectInvalid(answer)
  })
})

test('a compressed body is not decompressed: 415', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000, ' '))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', authorization: `Bearer ${token}` }
  const answer = await send(shop, '/trpc/points.charge', { method: 'POST', headers, body: bomb })
  expectError(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
})
