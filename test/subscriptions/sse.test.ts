import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { appRouter } from '@pointwise/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import superjson from 'superjson'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { AuditRunner } from '../../server/src/audit/service.ts'
import { SseHeartbeat } from '../../server/src/http/trpc/sse-heartbeat.ts'
import { Refusal } from '../../server/src/refusals.ts'
import type { Context } from '../../server/src/rpc/context.ts'
import { transactOn } from '../../server/src/rpc/transactions.ts'
import { SubscriptionHub } from '../../server/src/subscriptions/hub.ts'
import { UserExistenceCache } from '../../server/src/users/user-existence-cache.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type GivenUser, openShop, type Shop } from '../setup/shop.ts'

const REQUEST_ID = 'the-same-request'

let shop: Shop
let user: GivenUser
let lastEventId: string
beforeAll(async () => {
  shop = await openShop()
  user = await shop.givenUser()
  await shop.givenProduct()
  for (let amount = 1; amount <= 3; amount++) await user.client.points.charge.mutate({ amount })
  const [created] = await run<{ id: number }>(shop.db, 'select min(id) as id from events')
  const first = await user.client.points.onChange.subscribe({ lastEventId: String(created?.id) }).next()
  lastEventId = first.value.id
})
afterAll(() => shop[Symbol.asyncDispose]())
afterEach(() => void vi.useRealTimers())

/** Reads the response to its end, or until it contains the given number of changes. */
async function read(response: Response, changes: number): Promise<string> {
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value = '' } = (await reader?.read()) ?? { done: true }
    text += value
    if (done) return text
    if (changes > 0 && text.split('\nid: ').length > changes && text.endsWith('\n\n\n')) {
      await reader?.cancel()
      return text
    }
  }
}

/** Answers the request with tRPC's fetch adapter. */
async function fetchFromAdapter(path: string, headers: Record<string, string>): Promise<Response> {
  const context = {
    db: shop.db,
    readReplica: (work) => work(shop.db),
    deadline: undefined,
    malformedHeader: undefined,
    transact: transactOn(shop.db),
    now: () => new Date(),
    userExistenceCache: new UserExistenceCache(shop.db, { ttlSeconds: 0 }),
    settlement: shop.app.settlement,
    audit: new AuditRunner((work) => work(shop.db)),
    subscriptions: new SubscriptionHub(shop.db),
    network: '127.0.0.1',
    requestId: REQUEST_ID,
    traceparent: undefined,
    consumeRateLimit: async () => undefined,
    destroyConnection: undefined,
    authenticate: async () => {
      if (!headers.authorization) throw new Refusal('token_missing')
      return { admin: false, userId: user.id }
    },
  } satisfies Omit<Context, 'productListCache'>
  return fetchRequestHandler({
    router: appRouter,
    endpoint: '/trpc',
    req: new Request(`http://shop/trpc/${path}`, { headers }),
    createContext: async () => context as unknown as Context,
  })
}

const input = (value: unknown) => `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(value)))}`

describe('the response of a subscription equals that of tRPC’s adapter:', () => {
  const signedIn = () => ({ authorization: `Bearer ${user.token}` })
  const requests: Record<string, () => [path: string, headers: Record<string, string>, changes: number]> = {
    'changes after an id in the input': () => [`points.onChange${input({ lastEventId })}`, signedIn(), 2],
    'changes after an id in the header': () => ['points.onChange', { ...signedIn(), 'last-event-id': lastEventId }, 2],
    'changes after an id in the header, with an input': () => [
      `points.onChange${input({})}`,
      { ...signedIn(), 'last-event-id': lastEventId },
      2,
    ],
    'changes after an id in the URL': () => [`points.onChange?lastEventId=${lastEventId}`, signedIn(), 2],
    token_missing: () => ['points.onChange', {}, 0],
    product_not_found: () => [`products.onStock${input({ productIds: [999] })}`, {}, 0],
    'invalid input': () => [`products.onStock${input({ productIds: [] })}`, {}, 0],
    'a missing input': () => ['products.onStock', {}, 0],
    'an input that is a string': () => [`products.onStock${input('all')}`, { 'last-event-id': '1' }, 0],
    'a malformed id': () => ['points.onChange', { ...signedIn(), 'last-event-id': 'x' }, 0],
  }
  for (const [name, prepare] of Object.entries(requests)) {
    test(name, async () => {
      const [path, headers, changes] = prepare()
      const [actual, expected] = [
        await fetch(`${shop.url}/trpc/${path}`, { headers: { ...headers, 'x-request-id': REQUEST_ID } }),
        await fetchFromAdapter(path, headers),
      ]
      expect([actual.status, actual.headers.get('content-type')]).toEqual([
        expected.status,
        expected.headers.get('content-type'),
      ])
      for (const header of ['cache-control', 'x-accel-buffering']) {
        expect(actual.headers.get(header)).toBe(expected.headers.get(header))
      }
      const text = await read(actual, changes)
      expect(text).toBe(await read(expected, changes))
      expect(text).toMatch(changes > 0 ? /\nid: \d+\n/ : /event: serialized-error/)
    })
  }
})

test('the connected event of a stream without an id contains the id at which the stream starts', async () => {
  const controller = new AbortController()
  const headers = { authorization: `Bearer ${user.token}` }
  const response = await fetch(`${shop.url}/trpc/points.onChange`, { headers, signal: controller.signal })
  const { value = '' } = (await response.body?.pipeThrough(new TextDecoderStream()).getReader().read()) ?? {}
  controller.abort()
  const [{ last } = { last: 0 }] = await run<{ last: number }>(shop.db, 'select max(id) as last from events')
  expect(value).toMatch(new RegExp(`^event: connected\\ndata: .*\\nid: ${last}\\n\\n\\n$`))
})

test('a malformed URL, a batch and a POST receive an error, and the response ends', async () => {
  const request = (path: string, init?: RequestInit) => fetch(`${shop.url}/trpc/${path}`, init)
  for (const response of [
    await request('points.onChange?input={'),
    await request('points.onChange,points.onChange?batch=1'),
    await request('points.onChange', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
  ]) {
    expect(await response.text()).toMatch(/"error"|serialized-error/)
  }
})

test('a stream is logged once the client disconnects, like every other request', async () => {
  const controller = new AbortController()
  const requestId = 'a-stream-that-ends'
  const headers = { authorization: `Bearer ${user.token}`, 'x-request-id': requestId }
  await fetch(`${shop.url}/trpc/points.onChange`, { headers, signal: controller.signal })
  const lines = () => shop.log.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId)
  expect(lines()).toEqual([])
  controller.abort()
  await eventually(lines).toEqual([
    expect.objectContaining({
      msg: 'request completed',
      req: expect.objectContaining({ path: '/trpc/points.onChange' }),
      res: expect.objectContaining({ statusCode: 200 }),
    }),
  ])
})

test('a stream that the server ends is logged exactly once', async () => {
  const headers = { authorization: `Bearer ${user.token}`, 'x-request-id': 'a-stream-that-is-ended' }
  await using own = await openShop()
  const response = await fetch(`${own.url}/trpc/products.onStock`, { headers })
  await response.text()
  const lines = () => own.log.filter((line) => line.includes('a-stream-that-is-ended'))
  await eventually(lines).toHaveLength(1)
  await own.app.close()
  expect(lines()).toHaveLength(1)
})

describe('SseHeartbeat', () => {
  const response = (writableNeedDrain = false) =>
    Object.assign(new EventEmitter(), { write: vi.fn(), writableNeedDrain }) as unknown as ServerResponse

  test('pings each stream after fifteen seconds without a write, except a stalled one, with one timer for all', () => {
    vi.useFakeTimers()
    const heartbeat = new SseHeartbeat()
    const [idle, busy, stalled] = [response(), response(), response(true)]
    heartbeat.start(idle, () => 7)
    for (const each of [busy, stalled]) heartbeat.start(each, () => undefined)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10_000)
    heartbeat.beat(busy)
    vi.advanceTimersByTime(6_000)
    expect(idle.write).toHaveBeenCalledExactlyOnceWith('event: ping\ndata: \nid: 7\n\n\n')
    expect(busy.write).not.toHaveBeenCalled()
    vi.advanceTimersByTime(15_000)
    expect(idle.write).toHaveBeenCalledTimes(2)
    expect(busy.write).toHaveBeenCalledExactlyOnceWith('event: ping\ndata: \n\n\n')
    expect(stalled.write).not.toHaveBeenCalled()
    for (const each of [idle, busy, stalled]) heartbeat.stop(each)
    expect(vi.getTimerCount()).toBe(0)
  })
})
