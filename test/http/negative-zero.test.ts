import { appRouter } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { VALID } from '../setup/invalid-input.ts'
import { newKey, openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

const QUERIES: Record<string, object> = {
  'orders.get': { orderId: 1 },
  'orders.list': { limit: 1 },
  'payments.get': { orderId: 1 },
  'points.histories': { limit: 1 },
  'products.get': { productId: 1 },
  'products.list': { page: 1, storeId: 1 },
  'products.onStock': { productIds: [1] },
  'products.scroll': { limit: 1, storeId: 1 },
}
const SPELLINGS = ['-0', '-0.0', '-0e1', '-0.000e-5', '-1e-999']

type Procedures = Record<string, { _def: { inputs: z.ZodType[] } }>
const procedures = appRouter._def.procedures as unknown as Procedures

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

const withNegativeZeros = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each) => (typeof each === 'number' ? -0 : each))

function containsNegativeZero(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0)
  return Object.values(value).some(containsNegativeZero)
}

describe('no input schema returns -0:', () => {
  for (const [path, input] of Object.entries({ ...VALID, ...QUERIES })) {
    test(path, () => {
      const [schema] = procedures[path]?._def.inputs ?? []
      expect(schema?.safeParse(input).success).toBe(true)
      for (const [field, value] of Object.entries(input)) {
        const { data } = schema?.safeParse({ ...input, [field]: withNegativeZeros(value) }) ?? {}
        expect({ field, found: containsNegativeZero(data) }).toEqual({ field, found: false })
      }
    })
  }
})

test('a product whose price and stock are -0 is stored and returned with 0, whatever the spelling', async () => {
  const { id: storeId } = await shop.givenStore()
  const headers = { authorization: `Bearer ${await shop.adminToken()}` }
  for (const zero of SPELLINGS) {
    const body = `{"json":{"storeId":${storeId},"name":"Free","price":${zero},"stock":${zero}}}`
    const answer = await send(shop, '/trpc/products.create', json(body, headers))
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('"price":0,"stock":0,')
    expect(answer.text).not.toMatch(/-0|"number"/)
  }
})

test('an order at the price -0 is the same as one at 0: the replay has the same result', async () => {
  const { token } = await shop.givenUser()
  const product = await shop.givenProduct({ price: 0 })
  const headers = { authorization: `Bearer ${token}` }
  for (const procedure of ['orders.place', 'orders.checkout']) {
    const idempotencyKey = newKey()
    const answers: string[] = []
    for (const zero of [...SPELLINGS, '0']) {
      const items = `[{"productId":${product.id},"quantity":1,"price":${zero}}]`
      const body = `{"json":{"items":${items},"idempotencyKey":"${idempotencyKey}"}}`
      const answer = await send(shop, `/trpc/${procedure}`, json(body, headers))
      expect(answer.status).toBe(200)
      answers.push(
        JSON.stringify(JSON.parse(answer.text).result.data.json).replace('"replayed":false', '"replayed":true'),
      )
    }
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).not.toMatch(/-0[,}]|"-0"/)
  }
})

test('a number that JSON cannot represent is 400, in the marks of superjson and as a string', async () => {
  const { token } = await shop.givenUser()
  for (const value of ['-0', 'NaN', 'Infinity', '-Infinity', '5']) {
    for (const meta of ['', ',"meta":{"values":{"amount":["number"]}}', ',"meta":{"values":{"amount":["bigint"]}}']) {
      const body = `{"json":{"amount":"${value}"}${meta}}`
      const answer = await send(shop, '/trpc/points.charge', json(body, { authorization: `Bearer ${token}` }))
      expect({ body, status: answer.status }).toEqual({ body, status: 400 })
    }
  }
})

test('calls in the same process treat -0 as 0, too', async () => {
  const product = await shop.givenProduct({ price: -0, stock: -0 })
  expect(product).toMatchObject({ price: 0, stock: 0 })
  const updated = await shop.asAdmin().products.update({ productId: product.id, price: -0 })
  expect(Object.is(updated.price, 0)).toBe(true)
})
