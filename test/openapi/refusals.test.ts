import { createDocument, REFUSALS } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newKey, openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'
import { contentOf, isStream, operations, validatorOf } from './operations.ts'
import { eventsIn, type ServerSentEvent } from './server-sent-events.ts'

const document = JSON.parse(JSON.stringify(createDocument()))
const described = new Map(operations(document).map((operation) => [operation.name, operation]))
const validate = validatorOf(document)

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())

interface Call {
  input?: unknown
  token?: string | undefined
  at?: Shop
}

/** Calls in plain JSON; the answer is one that the document has for this operation and status. Returns its refusal's code. */
async function failure(name: string, { input, token, at = shop }: Call = {}) {
  const { method, path, responses } = described.get(name) ?? expect.fail(name)
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  const { status, text } =
    method === 'post'
      ? await send(at, path, json(JSON.stringify({ json: input }), headers))
      : await send(at, input ? `${path}?input=${encodeURIComponent(JSON.stringify({ json: input }))}` : path, {
          headers,
        })
  const content = contentOf(document, responses[status]) ?? expect.fail(`${name} answers ${status}: ${text}`)
  validate(content.schema, JSON.parse(text), `${name} ${status}`)
  const { refusal } = JSON.parse(text).error.json.data
  return { status, code: refusal?.code ?? null }
}

test('each refusal comes as the document says', async () => {
  const admin = await shop.adminToken()
  const rich = await shop.givenUser({ points: 1_000_000 })
  const poor = await shop.givenUser()
  const mug = await shop.givenProduct({ price: 100, stock: 5 })
  const items = (quantity: number, price = 100) => [{ productId: mug.id, quantity, price }]
  const cancelled = await poor.client.orders.place.mutate({ items: items(1) })
  await poor.client.orders.cancel.mutate({ orderId: cancelled.id })
  const [user, orderId, key] = [poor.token, cancelled.id, newKey()]
  await poor.client.orders.place.mutate({ items: items(1), idempotencyKey: key })
  const gone = await shop.userToken(999_999)
  await using hurried = await openLimited()

  const calls: [code: keyof typeof REFUSALS, name: string, call: Call][] = [
    ['token_missing', 'users.me', {}],
    ['token_invalid', 'users.me', { token: 'nonsense' }],
    ['user_not_found', 'users.me', { token: gone }],
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
    ['rate_limited', 'stores.list', { at: hurried }],
  ]
  for (const [code, name, call] of calls) expect({ name, ...(await failure(name, call)) }).toMatchObject({ name, code })
  // What is busy is tested where it is made so.
  const told = new Set([...calls.map(([code]) => code), 'service_busy'])
  expect([...told].toSorted()).toEqual(Object.keys(REFUSALS).toSorted())
})

/** A shop whose limit of calls is reached. */
async function openLimited(): Promise<Shop> {
  const limited = await openShop({ fresh: 'limited', config: { rateLimit: 1 } })
  await send(limited, '/trpc/stores.list')
  return limited
}

test('invalid input comes as the document says, whether it could be read or not', async () => {
  const { token } = await shop.givenUser()
  expect(await failure('points.charge', { token, input: { amount: 0 } })).toEqual({ status: 400, code: null })
  expect(await failure('products.get', { input: { productId: 'x', __proto__: null } })).toMatchObject({ status: 400 })
  const { status, text } = await send(shop, '/trpc/points.charge', json('{', { authorization: `Bearer ${token}` }))
  expect(status).toBe(400)
  validate(contentOf(document, described.get('points.charge')?.responses[400])?.schema, JSON.parse(text), 'unreadable')
})

describe('a subscription tells', () => {
  const streams = [...described.values()].filter(isStream)
  const ask = ({ path }: { path: string }, { input, token, at = shop }: Call = {}) =>
    fetch(`${at.url}${path}${input ? `?input=${encodeURIComponent(JSON.stringify({ json: input }))}` : ''}`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
    })

  test('its failures as events, under the status 200', async () => {
    const { token } = await shop.givenUser()
    const gone = await shop.userToken(999_999)
    await using hurried = await openLimited()
    const calls: [name: string, told: { httpStatus: number; code?: string }, call: Call][] = [
      ['orders.onChange', { httpStatus: 401, code: 'token_missing' }, {}],
      ['orders.onChange', { httpStatus: 401, code: 'user_not_found' }, { token: gone }],
      ['points.onChange', { httpStatus: 401, code: 'token_invalid' }, { token: 'nonsense' }],
      ['points.onChange', { httpStatus: 400 }, { token, input: { lastEventId: 'x' } }],
      ['points.onChange', { httpStatus: 403, code: 'not_allowed' }, { token: await shop.adminToken() }],
      ['products.onStock', { httpStatus: 404, code: 'product_not_found' }, { input: { productIds: [999_999] } }],
      ['products.onStock', { httpStatus: 400 }, { input: { productIds: [] } }],
      ['products.onStock', { httpStatus: 429, code: 'rate_limited' }, { at: hurried, input: { productIds: [1] } }],
    ]
    for (const [name, { httpStatus, code }, call] of calls) {
      const operation = described.get(name) ?? expect.fail(name)
      const response = await ask(operation, call)
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

  test('by its status alone that there is no time for it', async () => {
    await using full = await openShop({ fresh: 'full', limits: { concurrentCallsMax: 0 } })
    expect(streams).toHaveLength(3)
    for (const operation of streams) {
      expect(Object.keys(operation.responses)).toEqual(['200', '503'])
      const response = await ask(operation, { at: full })
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      validate(contentOf(document, operation.responses[503])?.schema, await response.json(), operation.name)
    }
  })
})
