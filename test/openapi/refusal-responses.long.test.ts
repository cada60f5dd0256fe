import { createDocument, REFUSALS } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newKey, openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'
import { contentOf, isStream, operations, validatorOf } from './operations.ts'
import { eventsIn, type ServerSentEvent } from './server-sent-events.ts'

const document = JSON.parse(JSON.stringify(createDocument()))
const documented = new Map(operations(document).map((operation) => [operation.name, operation]))
const validate = validatorOf(document)

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

interface Call {
  input?: unknown
  token?: string | undefined
  headers?: Record<string, string>
  at?: Shop
}

/** Sends a call in plain JSON, and expects the failure to match the document. Returns its status and its refusal's code. */
async function failure(name: string, { input, token, headers: added, at = shop }: Call = {}) {
  const { method, path, responses } = documented.get(name) ?? expect.fail(name)
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...added }
  const { status, text } =
    method === 'post'
      ? await send(at, path, json(JSON.stringify({ json: input }), headers))
      : await send(at, input ? `${path}?input=${encodeURIComponent(JSON.stringify({ json: input }))}` : path, {
          headers,
        })
  const content = contentOf(document, responses[status]) ?? expect.fail(`${name} responds with ${status}: ${text}`)
  validate(content.schema, JSON.parse(text), `${name} ${status}`)
  const { refusal } = JSON.parse(text).error.json.data
  return { status, code: refusal?.code ?? null }
}

test('the response of each refusal matches the document', async () => {
  const admin = await shop.adminToken()
  const rich = await shop.givenUser({ points: 1_000_000 })
  const poor = await shop.givenUser()
  const mug = await shop.givenProduct({ price: 100, stock: 5 })
  const items = (quantity: number, price = 100) => [{ productId: mug.id, quantity, price }]
  const cancelled = await poor.client.orders.place.mutate({ items: items(1) })
  await poor.client.orders.cancel.mutate({ orderId: cancelled.id })
  const [user, orderId, key] = [poor.token, cancelled.id, newKey()]
  await poor.client.orders.place.mutate({ items: items(1), idempotencyKey: key })
  const unknownUser = await shop.userToken(999_999)
  await using limited = await openLimited()

  const calls: [code: keyof typeof REFUSALS, name: string, call: Call][] = [
    ['token_missing', 'users.me', {}],
    ['token_invalid', 'users.me', { token: 'malformed' }],
    ['user_not_found', 'users.me', { token: unknownUser }],
    ['user_unknown', 'users.remove', { token: admin, input: { userId: 999_999 } }],
    ['not_allowed', 'stores.create', { token: user, input: { name: 'Mine' } }],
    ['product_not_found', 'products.get', { input: { productId: 999_999 } }],
    ['order_not_found', 'orders.get', { token: user, input: { orderId: 999_999 } }],
    ['store_not_found', 'products.list', { input: { storeId: 999_999 } }],
    ['payment_not_found', 'payments.get', { token: user, input: { orderId } }],
    ['points_insufficient', 'orders.checkout', { token: user, input: { items: items(1) } }],
    ['points_limit_exceeded', 'points.charge', { token: rich.token, input: { amount: 1 } }],
    ['stock_insufficient', 'orders.checkout', { token: rich.token, input: { items: items(6) } }],
    ['price_changed', 'orders.place', { token: user, input: { items: items(1, 99) } }],
    ['order_not_payable', 'payments.pay', { token: user, input: { orderId } }],
    ['order_not_cancellable', 'orders.cancel', { token: user, input: { orderId } }],
    ['order_not_refundable', 'payments.refund', { token: admin, input: { orderId } }],
    ['name_taken', 'users.create', { token: admin, input: { name: poor.name } }],
    ['idempotency_key_reused', 'orders.place', { token: user, input: { items: items(2), idempotencyKey: key } }],
    ['rate_limited', 'stores.list', { at: limited }],
    ['deadline_exceeded', 'points.charge', { token: user, input: { amount: 1 }, headers: { 'request-deadline': '0' } }],
  ]
  for (const [code, name, call] of calls) expect({ name, ...(await failure(name, call)) }).toMatchObject({ name, code })
  // service-busy.test.ts provokes service_busy. Only subscriptions refuse with not_resumable: see below.
  const tested = new Set([...calls.map(([code]) => code), 'service_busy', 'not_resumable'])
  expect([...tested].toSorted()).toEqual(Object.keys(REFUSALS).toSorted())
})

/** Opens a shop whose rate limit is used up. */
async function openLimited(): Promise<Shop> {
  const limited = await openShop({ fresh: 'limited', config: { rateLimit: 1 } })
  await send(limited, '/trpc/stores.list')
  return limited
}

test('the response to invalid input matches the document, whether the input could be parsed or not', async () => {
  const { token } = await shop.givenUser()
  expect(await failure('points.charge', { token, input: { amount: 0 } })).toEqual({ status: 400, code: null })
  expect(await failure('products.get', { input: { productId: 'x', __proto__: null } })).toMatchObject({ status: 400 })
  const { status, text } = await send(shop, '/trpc/points.charge', json('{', { authorization: `Bearer ${token}` }))
  expect(status).toBe(400)
  validate(contentOf(document, documented.get('points.charge')?.responses[400])?.schema, JSON.parse(text), 'unreadable')
})

describe('a subscription sends', () => {
  const streams = [...documented.values()].filter(isStream)
  const request = ({ path }: { path: string }, { input, token, at = shop }: Call = {}) =>
    fetch(`${at.url}${path}${input ? `?input=${encodeURIComponent(JSON.stringify({ json: input }))}` : ''}`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
    })

  test('its failures as events, with the status 200', async () => {
    const { token } = await shop.givenUser()
    const unknownUser = await shop.userToken(999_999)
    await using limited = await openLimited()
    const calls: [name: string, failure: { httpStatus: number; code?: string }, call: Call][] = [
      ['orders.onChange', { httpStatus: 401, code: 'token_missing' }, {}],
      ['orders.onChange', { httpStatus: 401, code: 'user_not_found' }, { token: unknownUser }],
      ['points.onChange', { httpStatus: 401, code: 'token_invalid' }, { token: 'malformed' }],
      ['points.onChange', { httpStatus: 400 }, { token, input: { lastEventId: 'x' } }],
      ['points.onChange', { httpStatus: 409, code: 'not_resumable' }, { token, input: { lastEventId: '999999999' } }],
      ['points.onChange', { httpStatus: 403, code: 'not_allowed' }, { token: await shop.adminToken() }],
      ['products.onStock', { httpStatus: 404, code: 'product_not_found' }, { input: { productIds: [999_999] } }],
      ['products.onStock', { httpStatus: 400 }, { input: { productIds: [] } }],
      ['products.onStock', { httpStatus: 429, code: 'rate_limited' }, { at: limited, input: { productIds: [1] } }],
    ]
    for (const [name, { httpStatus, code }, call] of calls) {
      const operation = documented.get(name) ?? expect.fail(name)
      const response = await request(operation, call)
      const events: ServerSentEvent[] = []
      for await (const event of eventsIn(response.body)) events.push(event)
      const { schema } = contentOf(document, operation.responses[200], 'text/event-stream') ?? {}
      for (const event of events) validate(schema, event, name)
      expect([name, response.status, ...events.map(({ event }) => event)]).toEqual([
        name,
        200,
        'connected',
        'serialized-error',
      ])
      const refusal = code ? expect.objectContaining({ code }) : null
      expect(events[1]?.data).toMatchObject({ json: { data: { httpStatus, refusal } } })
      expect(response.headers.get('retry-after')).toBeNull()
    }
  })

  test('service_busy as an HTTP status when the server sheds load', async () => {
    await using full = await openShop({ fresh: 'full', limits: { concurrentCallsMax: 0 } })
    expect(streams).toHaveLength(3)
    for (const operation of streams) {
      expect(Object.keys(operation.responses)).toEqual(['200', '503'])
      const response = await request(operation, { at: full })
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      validate(contentOf(document, operation.responses[503])?.schema, await response.json(), operation.name)
    }
  })
})
