import { createClient, newIdempotencyKey } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { dropConnection, startMisbehavingServer, succeedWith } from './misbehaving-server.ts'

const charged = { historyId: 1, amount: 10, balance: 10, replayed: false }
const order = { id: 1 }
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('createClient', () => {
  it('sends queries that start together in one request, up to twenty per request', async () => {
    await using server = await startMisbehavingServer(succeedWith([]))
    const client = createClient({ url: server.url })
    await Promise.all(Array.from({ length: 25 }, () => client.stores.list.query()))
    expect(server.requests.map(({ path }) => path.split(',').length)).toEqual([20, 5])
  })

  it('splits a batch whose URL would be longer than 4,000 characters', async () => {
    await using server = await startMisbehavingServer(succeedWith({ items: [], nextCursor: null }))
    const client = createClient({ url: server.url })
    await Promise.all(Array.from({ length: 20 }, () => client.products.scroll.query({ cursor: 'x'.repeat(500) })))
    expect(Math.max(...server.requests.map(({ path }) => path.length))).toBeLessThanOrEqual(4_000)
  })

  it('sends each mutation in a request of its own', async () => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const client = createClient({ url: server.url })
    await Promise.all([client.points.charge.mutate({ amount: 1 }), client.points.charge.mutate({ amount: 2 })])
    expect(server.requests.map(({ path }) => path)).toEqual(['/trpc/points.charge', '/trpc/points.charge'])
  })

  it('adds a different idempotency key to each call that accepts one', async () => {
    await using server = await startMisbehavingServer(succeedWith(order))
    const client = createClient({ url: server.url })
    await client.points.charge.mutate({ amount: 1 })
    await client.points.charge.mutate({ amount: 1, idempotencyKey: undefined })
    await client.orders.place.mutate({ items: [] })
    await client.orders.checkout.mutate({ items: [] })
    await client.products.restock.mutate({ productId: 1, quantity: 1 })
    const keys = server.requests.map(({ input }) => input.idempotencyKey)
    expect(new Set(keys).size).toBe(5)
    for (const key of keys) expect(key).toMatch(UUID)
  })

  it('adds no idempotency key to a call that does not accept one', async () => {
    await using server = await startMisbehavingServer(succeedWith(order))
    const client = createClient({ url: server.url })
    await client.orders.cancel.mutate({ orderId: 1 })
    await client.payments.pay.mutate({ orderId: 1 })
    expect(server.requests.map(({ input }) => input)).toEqual([{ orderId: 1 }, { orderId: 1 }])
  })

  it('calls the token and header functions for each attempt', async () => {
    await using server = await startMisbehavingServer(dropConnection, succeedWith(charged))
    let tokens = 0
    const client = createClient({
      url: server.url,
      token: async () => `token-${++tokens}`,
      headers: () => ({ 'x-app': `till-${tokens}`, Authorization: 'other' }),
    })
    await client.points.charge.mutate({ amount: 1 })
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(server.requests.map(({ headers }) => headers['x-app'])).toEqual(['till-0', 'till-1'])
  })

  it('sends no Authorization header without a token', async () => {
    await using server = await startMisbehavingServer(succeedWith([]))
    await createClient({ url: server.url }).stores.list.query()
    await createClient({ url: server.url, token: () => undefined }).stores.list.query()
    for (const { headers } of server.requests) expect(headers).not.toHaveProperty('authorization')
  })

  it('rejects with the error of the token function, without sending a request', async () => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const expired = new Error('The session has expired.')
    const client = createClient({ url: server.url, token: () => Promise.reject(expired) })
    await expect(client.points.charge.mutate({ amount: 1 })).rejects.toMatchObject({
      name: 'TRPCClientError',
      cause: expired,
    })
    expect(server.requests).toHaveLength(0)
  })

  it('returns dates as Date objects', async () => {
    const user = { id: 1, name: 'Ada', createdAt: new Date('2026-01-02T03:04:05Z') }
    await using server = await startMisbehavingServer(succeedWith(user))
    expect(await createClient({ url: server.url }).users.me.query()).toEqual(user)
  })

  it('accepts a base URL with a path, with and without a trailing slash', async () => {
    await using server = await startMisbehavingServer(succeedWith([]))
    for (const base of ['', '/', '/shop', '/shop/']) {
      await createClient({ url: `${server.url}${base}` }).stores.list.query()
    }
    const paths = server.requests.map(({ path }) => path.replace(/\/stores\.list.*/, ''))
    expect(paths).toEqual(['/trpc', '/trpc', '/shop/trpc', '/shop/trpc'])
  })

  it('throws a TypeError for a URL that is not an http or https URL', () => {
    expect(() => createClient({ url: 'shop.example' })).toThrow(TypeError)
    expect(() => createClient({ url: 'localhost:3000' })).toThrow('"localhost:3000" is not an http or https URL')
  })
})

it('newIdempotencyKey generates a different UUID each time', () => {
  const keys = Array.from({ length: 100 }, newIdempotencyKey)
  expect(new Set(keys).size).toBe(100)
  for (const key of keys) expect(key).toMatch(UUID)
})
