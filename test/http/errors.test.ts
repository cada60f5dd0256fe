import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { withoutRandomValues } from '../setup/log-secrets.ts'
import { newKey, openShop, type Shop } from '../setup/shop.ts'
import { expectError, json, loggedErrors, send } from '../setup/trpc-wire.ts'

let shop: Shop
let token: string
beforeAll(async () => {
  shop = await openShop()
  token = (await shop.givenUser()).token
})
afterAll(() => shop[Symbol.asyncDispose]())

const bearer = () => ({ authorization: `Bearer ${token}` })
const form = new FormData()
form.set('amount', '5')
const batch = (calls: string[]) => `/trpc/${calls.join(',')}?batch=1&input=%7B%7D`

const FAILURES: [what: string, path: string, init: RequestInit, status: number, code: string][] = [
  ['an unknown path', '/nothing', {}, 404, 'NOT_FOUND'],
  ['the root', '/', {}, 404, 'NOT_FOUND'],
  ['an unknown procedure', '/trpc/points.steal', {}, 404, 'NOT_FOUND'],
  ['a procedure named like a property of Object', '/trpc/users.constructor', {}, 404, 'NOT_FOUND'],
  ['a procedure named __proto__', '/trpc/__proto__', {}, 404, 'NOT_FOUND'],
  ['another method on a health check', '/livez', json('{}'), 404, 'NOT_FOUND'],
  ['GET of a mutation', '/trpc/points.charge', {}, 405, 'METHOD_NOT_SUPPORTED'],
  ['POST of a query', '/trpc/stores.list', json('{}'), 405, 'METHOD_NOT_SUPPORTED'],
  ['PUT', '/trpc/points.charge', { ...json('{}'), method: 'PUT' }, 405, 'METHOD_NOT_SUPPORTED'],
  ['DELETE', '/trpc/points.charge', { ...json('{}'), method: 'DELETE' }, 405, 'METHOD_NOT_SUPPORTED'],
  ['a body of 300 kB', '/trpc/points.charge', json('x'.repeat(300_000)), 413, 'PAYLOAD_TOO_LARGE'],
  ['a body of 10 MB', '/trpc/points.charge', json('x'.repeat(10_000_000)), 413, 'PAYLOAD_TOO_LARGE'],
  ['a path of 1,200 characters', `/trpc/${'a'.repeat(1_200)}`, {}, 414, 'BAD_REQUEST'],
  ['a batch of 1,000 calls', batch(Array(1_000).fill('stores.list')), {}, 414, 'BAD_REQUEST'],
  ['a batch of 1,000 mutations', `/trpc/${'points.charge,'.repeat(1_000)}?batch=1`, json('{}'), 414, 'BAD_REQUEST'],
  ['text', '/trpc/points.charge', { method: 'POST', body: '{}' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['bytes', '/trpc/points.charge', { method: 'POST', body: new Uint8Array(9) }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['no content type', '/trpc/points.charge', { method: 'POST' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a form', '/trpc/points.charge', { method: 'POST', body: form }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a content type with trailing text',
    '/trpc/points.charge',
    json('{}', { 'content-type': 'application/json x' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a content type with a tab',
    '/trpc/points.charge',
    json('{}', { 'content-type': 'application/json\tx' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a batch of 21 calls', batch(Array(21).fill('stores.list')), {}, 400, 'BAD_REQUEST'],
  ['900 commas', batch(Array(901).fill('')), {}, 400, 'BAD_REQUEST'],
  ['a broken query string', '/trpc/products.get?input=%7B', {}, 400, 'BAD_REQUEST'],
  ['a query string that is not UTF-8', '/trpc/products.get?input=%zz', {}, 400, 'BAD_REQUEST'],
  ['a path that is not UTF-8', '/trpc/%zz', {}, 400, 'BAD_REQUEST'],
  ['connection parameters', '/trpc/stores.list?connectionParams=%7B', {}, 400, 'PARSE_ERROR'],
]

describe('an error response has tRPC’s shape and the request id, and reveals no internals:', () => {
  for (const [what, path, init, status, code] of FAILURES) {
    test(`${what} → ${status}`, async () => {
      const data = expectError(await send(shop, path, init), status, code)
      expect(data.refusal).toBeNull()
    })
  }

  for (const [what, body] of [
    ['broken JSON', '{"json":{'],
    ['half an emoji', '{"json":{"amount":"\\ud83d"}}'],
    ['no body', ''],
    ['null', 'null'],
    ['nesting 100,000 deep', `{"json":{"amount":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
  ]) {
    test(`${what}, with a token → 400`, async () => {
      expectError(await send(shop, '/trpc/points.charge', json(body ?? '', bearer())), 400, 'BAD_REQUEST')
    })
  }

  test('a URL that Node itself rejects has the same shape', async () => {
    expectError(await send(shop, `/trpc/stores.list?input=${'a'.repeat(20_000)}`), 431, 'BAD_REQUEST')
  })

  test('none of these requests is logged as an error', () => {
    expect(loggedErrors(shop)).toEqual([])
  })
})

test('a batch has a result or an error for each call', async () => {
  const path = '/trpc/stores.list,points.steal,products.get?batch=1&input=%7B%222%22%3A%7B%22json%22%3A%7B%7D%7D%7D'
  const answer = await send(shop, path)
  expect(answer.status).toBe(207)
  const results = JSON.parse(answer.text)
  expect(results[0].result.data.json).toEqual([])
  expect(
    results.slice(1).map(({ error }: { error: { json: { data: { code: string } } } }) => error.json.data.code),
  ).toEqual(['NOT_FOUND', 'BAD_REQUEST'])
})

test('an internal error is a 500 that reveals nothing; it is rolled back and logged once, with its request id and without values', async () => {
  await using own = await openShop()
  const user = await own.givenUser({ points: 500 })
  const idempotencyKey = newKey()
  const charge = () =>
    send(
      own,
      '/trpc/points.charge',
      json(JSON.stringify({ json: { amount: 77_123, idempotencyKey } }), { authorization: `Bearer ${user.token}` }),
    )
  await run(own.db, 'rename table events to events_away')
  const answer = await charge()
  await run(own.db, 'rename table events_away to events')
  const data = expectError(answer, 500, 'INTERNAL_SERVER_ERROR')
  expect(data).toMatchObject({ refusal: null, issues: null })
  expect(JSON.parse(answer.text).error.json.message).toBe('An internal error occurred.')
  expect(answer.text).not.toContain('events')

  const logged = loggedErrors(own)
  expect(logged).toHaveLength(1)
  expect(logged[0]).toMatchObject({ requestId: data.requestId, path: 'points.charge', err: { errno: 1146 } })
  expect(withoutRandomValues(JSON.stringify(logged))).not.toMatch(
    new RegExp(`${idempotencyKey}|77123|insert into|values \\(`),
  )
  expect(await user.client.points.balance.query()).toMatchObject({ balance: 500 })
  expect((await charge()).status).toBe(200)
})
