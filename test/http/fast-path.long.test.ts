import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import superjson from 'superjson'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

const NOW = new Date('2026-03-01T08:00:00.123Z')
/** Headers that depend on the connection and not on the response. */
const TRANSPORT = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

interface Sent {
  method: string
  path: string
  headers: OutgoingHttpHeaders
  body?: string | Buffer
}

interface Answer {
  status: number | undefined
  headers: Record<string, unknown>
  body: string
}

/** Two shops in the same state. One answers on the fast path, the other through tRPC's adapter. */
let fastPath: Shop
let adapter: Shop
let tokens: Record<'user' | 'other' | 'admin' | 'removed' | 'bad', string>

beforeAll(async () => {
  fastPath = await openShop({ fresh: 'fast-path', now: () => NOW })
  adapter = await openShop({ fresh: 'adapter', now: () => NOW })
  for (const shop of [fastPath, adapter]) {
    const ada = await shop.givenUser({ points: 5_000, name: 'Ada' })
    await shop.givenUser({ points: 100, name: 'Ben' })
    const gone = await shop.givenUser({ name: 'Cyd' })
    await (await shop.admin()).users.remove.mutate({ userId: gone.id })
    const store = await shop.givenStore('Kitchen "&" <Co> 🍋')
    // The last product is removed by one of the inputs that every procedure is called with.
    for (const stock of [9, 0, 3, 5]) await shop.givenProduct({ price: 100, stock, storeId: store.id, name: 'Tea ☕' })
    await ada.client.orders.checkout.mutate({
      items: [{ productId: 1, quantity: 1, price: 100 }],
      idempotencyKey: key(99),
    })
  }
  tokens = {
    user: await fastPath.userToken(1),
    other: await fastPath.userToken(2),
    removed: await fastPath.userToken(3),
    admin: await fastPath.adminToken(),
    bad: 'eyJhbGciOiJub25lIn0.e30.',
  }
})
afterAll(async () => {
  await Promise.all([fastPath?.[Symbol.asyncDispose](), adapter?.[Symbol.asyncDispose]()])
})

const key = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

function send(url: string, { method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}${path}`, { method, headers, agent: false }, async (answer) => {
      let text = ''
      for await (const chunk of answer.setEncoding('utf8')) text += chunk
      const headers = Object.entries(answer.headers).filter(([name]) => !TRANSPORT.includes(name))
      resolve({ status: answer.statusCode, headers: withoutTime(Object.fromEntries(headers)), body: text })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Replaces the server's time, which differs between two responses. */
function withoutTime(headers: Answer['headers']): Answer['headers'] {
  return 'server-time' in headers ? { ...headers, 'server-time': 'a time' } : headers
}

/** Adds a parameter that tRPC's adapter ignores, and that makes the fast path leave the request to the adapter. */
const throughAdapter = (request: Sent): Sent => ({
  ...request,
  path: `${request.path}${request.path.includes('?') ? '&' : '?'}path=adapter`,
})

async function expectSame(request: Sent): Promise<Answer> {
  const headers = { 'x-request-id': 'request-id-1', ...request.headers }
  const [one, other] = [
    await send(fastPath.url, { ...request, headers }),
    await send(adapter.url, throughAdapter({ ...request, headers })),
  ]
  expect(one, `${request.method} ${request.path} ${request.body ?? ''}`).toEqual(other)
  return one
}

const JSON_TYPE = { 'content-type': 'application/json' }
const QUERIES = [
  'users.me', 'stores.list', 'products.list', 'products.scroll', 'products.get', 'products.topSelling',
  'products.trending', 'points.balance', 'points.histories', 'orders.get', 'orders.list', 'payments.get',
] // biome-ignore format: a list
const MUTATIONS = [
  'users.create', 'users.remove', 'stores.create', 'products.create', 'products.update', 'products.remove',
  'products.restock', 'points.charge', 'orders.place', 'orders.checkout', 'orders.cancel', 'payments.pay', 'payments.refund',
] // biome-ignore format: a list

const plain = (value: unknown) => JSON.stringify({ json: value })
const rich = (value: unknown) => JSON.stringify(superjson.serialize(value))
const items = (quantity: number, price = 100, productId = 1) => [{ productId, quantity, price }]

/** Valid and invalid inputs with which every procedure is called. */
const ALL_INPUTS = [
  undefined,
  '',
  plain({}),
  plain(null),
  plain([]),
  plain('x'),
  plain(7),
  rich(undefined),
  rich({ productId: 1n }),
  rich({ amount: Number.NaN }),
  rich(new Date(0)),
  plain({ orderId: 1 }),
  plain({ productId: 4 }),
  plain({ productId: 999 }),
  plain({ page: 2, unknown: 1 }),
  '{"json":{"__proto__":{"x":1}}}',
  '{"json":{"amount":1},"meta":{"values":{"__proto__":["Date"]}}}',
  '{"json":{"a":1},"meta":{"values":{"a":["NoSuchType"]}}}',
  '{broken',
  'null',
  '[]',
  '"text"',
  '7',
  '{}',
]

/** In `npm test`, every third input, among which an id that exists and one that does not. */
const INPUTS = inSuite(
  ALL_INPUTS.filter(
    (input, index) => index % 3 === 0 || input === plain({ orderId: 1 }) || input === plain({ productId: 999 }),
  ),
  ALL_INPUTS,
)

test('every query, with every input and every token, has the same response on both paths', async () => {
  const statuses = new Set<number | undefined>()
  for (const path of QUERIES) {
    for (const input of INPUTS) {
      const query = input === undefined ? '' : `?input=${encodeURIComponent(input)}`
      const headers = { authorization: `Bearer ${tokens.user}` }
      statuses.add((await expectSame({ method: 'GET', path: `/trpc/${path}${query}`, headers })).status)
    }
    for (const token of Object.values(tokens)) {
      const headers = { authorization: `Bearer ${token}` }
      statuses.add((await expectSame({ method: 'GET', path: `/trpc/${path}`, headers })).status)
    }
    statuses.add((await expectSame({ method: 'GET', path: `/trpc/${path}`, headers: {} })).status)
  }
  expect([...statuses].toSorted()).toEqual([200, 400, 401, 403, 404])
})

test('every mutation, with every input and every token, has the same response on both paths', async () => {
  const statuses = new Set<number | undefined>()
  for (const path of MUTATIONS) {
    for (const body of INPUTS.filter((input) => input !== undefined)) {
      for (const token of [tokens.user, tokens.admin]) {
        const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` }
        statuses.add((await expectSame({ method: 'POST', path: `/trpc/${path}`, headers, body })).status)
      }
    }
    statuses.add((await expectSame({ method: 'POST', path: `/trpc/${path}`, headers: JSON_TYPE, body: '{}' })).status)
  }
  expect([...statuses].toSorted()).toEqual(expect.arrayContaining([200, 400, 401, 403, 404]))
})

test('calls that succeed and calls that are refused have the same response on both paths', async () => {
  const calls: [path: string, input: unknown, token?: string][] = [
    ['points.charge', { amount: 5, idempotencyKey: key(1) }],
    ['points.charge', { amount: 5, idempotencyKey: key(1) }],
    ['points.charge', { amount: 6, idempotencyKey: key(1) }],
    ['points.charge', { amount: 1_000_000, idempotencyKey: key(2) }],
    ['points.charge', { amount: 0.5, idempotencyKey: key(2) }],
    ['orders.place', { items: items(1), idempotencyKey: key(3) }],
    ['orders.place', { items: items(1), idempotencyKey: key(3) }],
    ['orders.place', { items: items(1, 101), idempotencyKey: key(4) }],
    ['orders.place', { items: items(1, 100, 2), idempotencyKey: key(4) }],
    ['orders.checkout', { items: items(1), idempotencyKey: key(3) }],
    ['orders.checkout', { items: items(2), idempotencyKey: key(5) }],
    ['orders.checkout', { items: items(2), idempotencyKey: key(5) }],
    ['orders.checkout', { items: items(60), idempotencyKey: key(6) }],
    ['orders.checkout', { items: items(2), idempotencyKey: key(7) }, 'other'],
    ['orders.checkout', { items: items(1), idempotencyKey: key(7) }, 'removed'],
    ['payments.pay', { orderId: 2 }, 'other'],
    ['payments.pay', { orderId: 2 }],
    ['payments.pay', { orderId: 2 }],
    ['payments.refund', { orderId: 2 }],
    ['payments.refund', { orderId: 2 }, 'admin'],
    ['payments.refund', { orderId: 2 }, 'admin'],
    ['orders.cancel', { orderId: 2 }],
    ['products.update', { productId: 1, price: 120 }, 'admin'],
    ['products.restock', { productId: 2, quantity: 4, idempotencyKey: key(8) }, 'admin'],
    ['products.restock', { productId: 2, quantity: -9, idempotencyKey: key(9) }, 'admin'],
    ['products.remove', { productId: 3 }, 'admin'],
    ['products.remove', { productId: 3 }, 'admin'],
    ['users.create', { name: 'Ada' }, 'admin'],
    ['users.create', { name: 'Eve 🦊' }, 'admin'],
    ['stores.create', { name: 'Kitchen "&" <Co> 🍋' }, 'admin'],
    ['users.remove', { userId: 77 }, 'admin'],
  ]
  const codes = new Set<string | undefined>()
  for (const [path, input, who = 'user'] of calls) {
    const token = tokens[who as keyof typeof tokens]
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` }
    const { body } = await expectSame({ method: 'POST', path: `/trpc/${path}`, headers, body: rich(input) })
    codes.add(JSON.parse(body).error?.json.data.refusal?.code)
  }
  expect(codes.size).toBeGreaterThan(10)
})

test('a request that is not a single, well-formed call has the same response as from the adapter', async () => {
  const user = { authorization: `Bearer ${tokens.user}` }
  const charge = rich({ amount: 1, idempotencyKey: key(20) })
  const odd: Sent[] = [
    { method: 'POST', path: '/trpc/points.balance', headers: { ...user, ...JSON_TYPE }, body: '{}' },
    { method: 'GET', path: '/trpc/points.charge', headers: user },
    { method: 'PUT', path: '/trpc/points.charge', headers: { ...user, ...JSON_TYPE }, body: charge },
    { method: 'PATCH', path: '/trpc/points.charge', headers: { ...user, ...JSON_TYPE }, body: charge },
    { method: 'DELETE', path: '/trpc/points.balance', headers: user },
    { method: 'HEAD', path: '/trpc/points.balance', headers: user },
    { method: 'GET', path: '/trpc/nothing.here', headers: user },
    { method: 'GET', path: '/trpc/points', headers: user },
    { method: 'GET', path: '/trpc/toString', headers: user },
    { method: 'GET', path: '/trpc/__proto__', headers: user },
    { method: 'GET', path: '/trpc/points.balance,points.balance?batch=1&input=%7B%7D', headers: user },
    { method: 'GET', path: '/trpc/points.balance?batch=1&input=%7B%7D', headers: user },
    { method: 'GET', path: '/trpc/points%2Ebalance', headers: user },
    { method: 'GET', path: '/trpc/points.balance?input=', headers: user },
    { method: 'GET', path: '/trpc/points.balance?input=%7B%7D&input=%7B%7D', headers: user },
    { method: 'GET', path: '/trpc/points.balance?connectionParams=%7B%7D', headers: user },
    { method: 'GET', path: '/trpc/points.balance', headers: { ...user, accept: 'application/jsonl' } },
    { method: 'GET', path: '/trpc/points.balance', headers: { ...user, 'trpc-accept': 'application/jsonl' } },
    { method: 'GET', path: '/trpc/points.balance', headers: { ...user, ...JSON_TYPE } },
    { method: 'GET', path: '/trpc/points.balance', headers: { ...user, origin: 'https://evil.example' } },
    { method: 'POST', path: '/trpc/points.charge', headers: { ...user, ...JSON_TYPE } },
    { method: 'POST', path: '/trpc/points.charge', headers: user, body: charge },
    { method: 'POST', path: '/trpc/points.charge', headers: { ...user, 'content-type': 'text/plain' }, body: charge },
    {
      method: 'POST',
      path: '/trpc/points.charge',
      headers: { ...user, 'content-type': 'application/json; charset=utf-8' },
      body: charge,
    },
    {
      method: 'POST',
      path: '/trpc/points.charge',
      headers: { ...user, 'content-type': 'APPLICATION/JSON' },
      body: charge,
    },
    { method: 'POST', path: '/trpc/points.charge?input=%7B%7D', headers: { ...user, ...JSON_TYPE }, body: charge },
    {
      method: 'POST',
      path: '/trpc/points.charge?batch=1',
      headers: { ...user, ...JSON_TYPE },
      body: `{"0":${charge}}`,
    },
  ]
  for (const request of odd) await expectSame(request)
})

test('a header Idempotency-Key, and bytes that are not UTF-8, have the same response on both paths', async () => {
  const headers = { ...JSON_TYPE, authorization: `Bearer ${tokens.user}` }
  const statuses = new Set<number | undefined>()
  for (const [path, idempotencyKey, input] of [
    ['points.charge', key(21), { amount: 1 }],
    ['points.charge', key(22), { amount: 1, idempotencyKey: key(20) }],
    ['points.charge', 'x', { amount: 1 }],
    ['payments.pay', key(23), { orderId: 1 }],
  ] as const) {
    const request = { method: 'POST', path: `/trpc/${path}`, body: plain(input) }
    statuses.add((await expectSame({ ...request, headers: { ...headers, 'idempotency-key': idempotencyKey } })).status)
  }
  for (const body of ['{"json":{"amount":-0}}', Buffer.from([0xe9]), Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])]) {
    statuses.add((await expectSame({ method: 'POST', path: '/trpc/points.charge', headers, body })).status)
  }
  for (const path of ['?input=%E9', '?input={"json":{"x":"%C0%80"}}']) {
    statuses.add((await expectSame({ method: 'GET', path: `/trpc/points.balance${path}`, headers: {} })).status)
  }
  expect([...statuses].toSorted()).toEqual([200, 400])
})
