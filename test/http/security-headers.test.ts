import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

test('every answer carries the headers that keep a browser from misusing it', async () => {
  const answers = [
    await send(shop, '/trpc/stores.list'),
    await send(shop, '/trpc/points.balance'),
    await send(shop, '/trpc/points.charge', json('x'.repeat(300_000))),
    await send(shop, '/livez'),
    await send(shop, '/nothing'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 413, 200, 404])
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{7,}/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
})

test('no answer tells what the server is made of', async () => {
  const { headers } = await send(shop, '/trpc/stores.list')
  expect(headers.get('x-powered-by')).toBeNull()
  expect(headers.get('server')).toBeNull()
})

describe('the request id', () => {
  const idOf = async (given: string, path = '/trpc/stores.list') =>
    (await send(shop, path, { headers: { 'x-request-id': given } })).headers.get('x-request-id')

  test('is made by the server, new for each request', async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await send(shop, '/livez')).headers.get('x-request-id')))
    for (const id of ids) expect(id).toMatch(UUID)
    expect(new Set(ids).size).toBe(3)
  })

  for (const given of ['abcd1234', '6f1a2f0e-4c1b-4f5e-9d0a-2f3b4c5d6e7f', 'trace_01-A', 'x'.repeat(64)]) {
    test(`is the caller’s if it looks like one: ${given}`, async () => {
      expect(await idOf(given)).toBe(given)
      expect(await idOf(given, '/nothing')).toBe(given)
      expect(await idOf(given, `/${'%zz'}`)).toBe(given)
    })
  }

  for (const given of [
    '',
    'short',
    'x'.repeat(65),
    'two words',
    '<script>alert(1)</script>',
    '"quoted-id"',
    '{"a":"b"}',
    'a;b=12345',
    'é'.repeat(9),
  ]) {
    test(`is the server’s if the caller’s looks like none: ${given.slice(0, 30)}`, async () => {
      expect(await idOf(given)).toMatch(UUID)
    })
  }

  test('is the server’s if the caller sends two', async () => {
    expect(await idOf('abcd1234, efgh5678')).toMatch(UUID)
  })

  test('is in the body of an error and in the log', async () => {
    const given = 'trace-of-an-error'
    const answer = await send(shop, '/trpc/points.balance', { headers: { 'x-request-id': given } })
    expect(JSON.parse(answer.text).error.json.data.requestId).toBe(given)
    await eventually(() => shop.log.filter((line) => JSON.parse(line).requestId === given)).toHaveLength(1)
  })
})
