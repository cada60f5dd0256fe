import { createClient, newIdempotencyKey } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { answer, cut, openOddServer } from './misbehaving-server.ts'

const charged = { historyId: 1, amount: 10, balance: 10, replayed: false }
const order = { id: 1 }
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('createClient', () => {
  it('sends the queries of one moment in one request, at most twenty', async () => {
    await using server = await openOddServer(answer([]))
    const client = createClient({ url: server.url })
    await Promise.all(Array.from({ length: 25 }, () => client.stores.list.query()))
    expect(server.seen.map(({ path }) => path.split(',').length)).toEqual([20, 5])
  })

  it('keeps the address of a batch short', async () => {
    await using server = await openOddServer(answer({ items: [], nextCursor: null }))
    const client = createClient({ url: server.url })
    await Promise.all(Array.from({ length: 20 }, () => client.products.scroll.query({ cursor: 'x'.repeat(500) })))
    expect(Math.max(...server.seen.map(({ path }) => path.length))).toBeLessThanOrEqual(4_000)
  })

  it('sends each mutation in a request of its own', async () => {
    await using server = await openOddServer(answer(charged))
    const client = createClient({ url: server.url })
    await Promise.all([client.points.charge.mutate({ amount: 1 }), client.points.charge.mutate({ amount: 2 })])
    expect(server.seen.map(({ path }) => path)).toEqual(['/trpc/points.charge', '/trpc/points.charge'])
  })

  it('adds a key to each call that takes one, another for each call', async () => {
    await using server = await openOddServer(answer(order))
    const client = createClient({ url: server.url })
    await client.points.charge.mutate({ amount: 1 })
    await client.points.charge.mutate({ amount: 1, idempotencyKey: undefined })
    await client.orders.place.mutate({ items: [] })
    await client.orders.checkout.mutate({ items: [] })
    await client.products.restock.mutate({ productId: 1, quantity: 1 })
    const keys = server.seen.map(({ input }) => input.idempotencyKey)
    expect(new Set(keys).size).toBe(5)
    for (const key of keys) expect(key).toMatch(UUID)
  })

  it('adds no key to a call that takes none', async () => {
    await using server = await openOddServer(answer(order))
    const client = createClient({ url: server.url })
    await client.orders.cancel.mutate({ orderId: 1 })
    await client.payments.pay.mutate({ orderId: 1 })
    expect(server.seen.map(({ input }) => input)).toEqual([{ orderId: 1 }, { orderId: 1 }])
  })

  it('asks for the token and the headers anew for every try', async () => {
    await using server = await openOddServer(cut, answer(charged))
    let asked = 0
    const client = createClient({
      url: server.url,
      token: async () => `token-${++asked}`,
      headers: () => ({ 'x-app': `till-${asked}`, Authorization: 'mine' }),
    })
    await client.points.charge.mutate({ amount: 1 })
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
    expect(server.seen.map(({ headers }) => headers['x-app'])).toEqual(['till-0', 'till-1'])
  })

  it('sends no Authorization header without a token', async () => {
    await using server = await openOddServer(answer([]))
    await createClient({ url: server.url }).stores.list.query()
    await createClient({ url: server.url, token: () => undefined }).stores.list.query()
    for (const { headers } of server.seen) expect(headers).not.toHaveProperty('authorization')
  })

  it('throws what the token function throws, and sends nothing', async () => {
    await using server = await openOddServer(answer(charged))
    const gone = new Error('The session is over.')
    const client = createClient({ url: server.url, token: () => Promise.reject(gone) })
    await expect(client.points.charge.mutate({ amount: 1 })).rejects.toMatchObject({
      name: 'TRPCClientError',
      cause: gone,
    })
    expect(server.seen).toHaveLength(0)
  })

  it('gives dates as dates', async () => {
    const user = { id: 1, name: 'Ada', createdAt: new Date('2026-01-02T03:04:05Z') }
    await using server = await openOddServer(answer(user))
    expect(await createClient({ url: server.url }).users.me.query()).toEqual(user)
  })

  it('takes a base address with a path, with and without a slash at its end', async () => {
    await using server = await openOddServer(answer([]))
    for (const base of ['', '/', '/shop', '/shop/']) {
      await createClient({ url: `${server.url}${base}` }).stores.list.query()
    }
    const paths = server.seen.map(({ path }) => path.replace(/\/stores\.list.*/, ''))
    expect(paths).toEqual(['/trpc', '/trpc', '/shop/trpc', '/shop/trpc'])
  })

  it('refuses an address that is not one of http', () => {
    expect(() => createClient({ url: 'shop.example' })).toThrow(TypeError)
    expect(() => createClient({ url: 'localhost:3000' })).toThrow('"localhost:3000" is not an http or https URL')
  })
})

it('newIdempotencyKey makes another key each time', () => {
  const keys = Array.from({ length: 100 }, newIdempotencyKey)
  expect(new Set(keys).size).toBe(100)
  for (const key of keys) expect(key).toMatch(UUID)
})
