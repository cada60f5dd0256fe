import { createLogger } from '@pointwise/server'
import superjson from 'superjson'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { withoutRandomValues } from '../setup/log-secrets.ts'
import { type GivenUser, item, newKey, openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

const INFO = 30

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.log.length = 0
})

/** Returns the log lines of a request, once there are any. */
async function linesOf(requestId: string | null) {
  const lines = () => shop.log.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId)
  await eventually(lines).not.toEqual([])
  return lines()
}

describe('a request is logged once, at level info:', () => {
  const form = new FormData()
  form.set('amount', '5')
  for (const [what, path, init, status] of [
    ['a result', '/trpc/stores.list?input=%7B%22json%22%3A5%7D', {}, 200],
    ['a batch', '/trpc/stores.list,stores.list?batch=1&input=%7B%7D', {}, 200],
    ['a refusal', '/trpc/points.balance', {}, 401],
    ['an invalid input', '/trpc/products.get?input=%7B%7D', {}, 400],
    ['broken JSON', '/trpc/products.get?input=%7B', {}, 400],
    ['a body that is too large', '/trpc/points.charge', json('x'.repeat(300_000)), 413],
    ['a URL that is too long', `/trpc/${'a'.repeat(1_200)}`, {}, 414],
    ['a form', '/trpc/points.charge', { method: 'POST', body: form }, 415],
    ['a URL that no route matches', '/nothing?secret=1', {}, 404],
    ['a URL that is not UTF-8', '/trpc/%zz', {}, 400],
    ['a health check', '/livez', {}, 200],
  ] as [string, string, RequestInit, number][]) {
    test(what, async () => {
      const answer = await send(shop, path, init)
      expect(answer.status).toBe(status)
      const lines = await linesOf(answer.headers.get('x-request-id'))
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatchObject({
        level: INFO,
        msg: 'request completed',
        req: { method: init.method ?? 'GET', path: path.split('?')[0], address: '127.0.0.1' },
        res: { statusCode: status },
        responseTime: expect.any(Number),
      })
    })
  }
})

describe('the line of a request contains its caller and its refusal:', () => {
  let user: GivenUser
  let headers: Record<'user' | 'admin', Record<string, string>>
  beforeAll(async () => {
    user = await shop.givenUser()
    headers = {
      user: { authorization: `Bearer ${user.token}` },
      admin: { authorization: `Bearer ${await shop.adminToken()}` },
    }
  })

  /** Sends a request and returns its log line. */
  async function lineOf(path: string, init: RequestInit = {}) {
    const { headers } = await send(shop, path, init)
    const [line] = await linesOf(headers.get('x-request-id'))
    return line
  }
  const fields = ({ caller, userId, refusal }: Record<string, unknown>) => ({ caller, userId, refusal })
  const charge = (amount: number) => json(`{"json":{"amount":${amount}}}`, headers.user)

  test.each(['', '?extra=1'])('of a single call, on the fast path and through the adapter: %j', async (query) => {
    const { id: userId } = user
    expect(fields(await lineOf(`/trpc/stores.list${query}`))).toEqual({ caller: 'anonymous' })
    expect(fields(await lineOf(`/trpc/users.me${query}`, { headers: headers.user }))).toEqual({
      caller: 'user',
      userId,
    })
    expect(fields(await lineOf(`/trpc/users.me${query}`, { headers: headers.admin }))).toEqual({
      caller: 'admin',
      refusal: 'not_allowed',
    })
    expect(fields(await lineOf(`/trpc/users.me${query}`))).toEqual({ caller: 'anonymous', refusal: 'token_missing' })
    expect(fields(await lineOf(`/trpc/points.charge${query}`, charge(1)))).toEqual({ caller: 'user', userId })
    expect(fields(await lineOf(`/trpc/points.charge${query}`, charge(1_000_000)))).toEqual({
      caller: 'user',
      userId,
      refusal: 'points_limit_exceeded',
    })
  })

  test('of an invalid input, which is no refusal', async () => {
    const { id: userId } = user
    expect(fields(await lineOf('/trpc/points.charge', charge(-1)))).toEqual({ caller: 'user', userId })
  })

  test('of a batch, as a list when several calls were refused', async () => {
    const input = encodeURIComponent('{"0":{"json":{"productId":999999}}}')
    const batch = (...procedures: string[]) => `/trpc/${procedures.join(',')}?batch=1&input=${input}`
    expect(fields(await lineOf(batch('products.get', 'stores.list')))).toEqual({
      caller: 'anonymous',
      refusal: 'product_not_found',
    })
    const line = await lineOf(batch('products.get', 'points.balance', 'users.me', 'stores.list'))
    expect(line.caller).toBe('anonymous')
    expect(line.refusal.toSorted()).toEqual(['product_not_found', 'token_missing', 'token_missing'])
  })

  test.each(['', '?extra=1'])(
    'of a stream that is refused, on its own path and through the adapter: %j',
    async (query) => {
      expect(fields(await lineOf(`/trpc/points.onChange${query}`))).toEqual({
        caller: 'anonymous',
        refusal: 'token_missing',
      })
    },
  )

  test('of a stream that the client closes', async () => {
    const aborted = new AbortController()
    const init = { headers: { ...headers.user, 'x-request-id': 'a-stream-of-a-user' }, signal: aborted.signal }
    await fetch(`${shop.url}/trpc/points.onChange`, init)
    aborted.abort()
    const [line] = await linesOf('a-stream-of-a-user')
    expect(fields(line)).toEqual({ caller: 'user', userId: user.id })
  })

  test('of a call that is refused because too many are in progress: service_busy', async () => {
    await using full = await openShop({ fresh: 'full', limits: { concurrentCallsMax: 1 } })
    const answer = await send(full, '/trpc/stores.list,stores.list?batch=1&input=%7B%7D')
    expect(answer.status).toBe(503)
    const lines = () => full.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request completed')
    await eventually(lines).toHaveLength(1)
    expect(fields(lines()[0])).toEqual({ caller: 'anonymous', refusal: 'service_busy' })
  })
})

test('no line contains a token, an idempotency key or an input', async () => {
  const user = await shop.givenUser({ points: 900_000, name: 'A name never logged' })
  const product = await shop.givenProduct({ price: 123_457, name: 'A product never logged' })
  shop.log.length = 0
  const call = (path: string, input: object) =>
    send(
      shop,
      `/trpc/${path}`,
      json(JSON.stringify(superjson.serialize(input)), { authorization: `Bearer ${user.token}` }),
    )
  const keys = [newKey(), newKey(), newKey()]
  await call('points.charge', { amount: 66_613, idempotencyKey: keys[0] })
  await call('points.charge', { amount: 999_983, idempotencyKey: keys[1] })
  await call('points.charge', { amount: -66_617, idempotencyKey: 'not-a-key-77' })
  await call('orders.checkout', { items: [item(product)], idempotencyKey: keys[2] })
  await call('orders.place', { items: [{ ...item(product), price: 55_579 }], idempotencyKey: keys[2] })
  await send(shop, '/trpc/points.balance', { headers: { authorization: 'Bearer not.a.token-88' } })
  await send(shop, '/trpc/products.list?input=%7B%22json%22%3A%7B%22page%22%3A44449%7D%7D')

  await eventually(() => shop.log.length).toBe(7)
  const log = shop.log.join('\n')
  for (const secret of [user.token, ...keys, 'not-a-key-77', 'token-88', 'Bearer', 'never logged']) {
    expect(log).not.toContain(secret)
  }
  const numbers = withoutRandomValues(log)
  for (const value of [66_613, 999_983, 66_617, 123_457, 55_579, 44_449]) expect(numbers).not.toContain(String(value))
})

describe('the logger', () => {
  function logged(entry: object): string {
    const lines: string[] = []
    createLogger('info', { write: (line) => void lines.push(line) }).info(entry, 'an event')
    return lines.join('')
  }
  const failure = (message: string, more: object = {}) => Object.assign(new Error(message), more)

  test('writes an error with its causes, without the statement that the driver attaches to it', () => {
    const cause = failure('Deadlock found', { errno: 1213, sql: `insert into users values ('Ada')`, sqlMessage: 'Ada' })
    const text = logged({ err: new Error('The database could not do this in time.', { cause }) })
    expect(JSON.parse(text).err).toMatchObject({
      type: 'Error',
      message: 'The database could not do this in time.',
      cause: { message: 'Deadlock found', errno: 1213, stack: expect.stringContaining('logs.test.ts') },
    })
    expect(text).not.toContain('Ada')
  })

  for (const [message, redacted] of [
    ["Duplicate entry '7-6f1a' for key 'orders.orders_key'", "Duplicate entry '…' for key 'orders.orders_key'"],
    [
      `target: shop.0.primary: vttablet: EOF (errno 2013) (sqlstate HY000) (CallerID: userData1): Sql: "select 1 from users where name = :vtg1\nfor update", BindVars: {vtg1: "it's Ada"}`,
      'target: shop.0.primary: vttablet: EOF (errno 2013) (sqlstate HY000)',
    ],
    ["Duplicate entry 'it's Ada' for key 'users_name'", "Duplicate entry '…' for key 'users_name'"],
    [
      "Incorrect string value: '\\xED\\xA0' for column `shop`.`users`.`name` at row 1",
      "Incorrect string value: '…' for column `shop`.`users`.`name` at row 1",
    ],
    ["Data too long for column 'name' at row 1", "Data too long for column 'name' at row 1"],
    ["Table 'shop.events' doesn't exist", "Table 'shop.events' doesn't exist"],
  ]) {
    test(`redacts the values in the message of a failed statement: ${redacted}`, () => {
      const { err } = JSON.parse(logged({ err: failure(message ?? '', { errno: 1062 }) }))
      expect(err.message).toBe(redacted)
      expect(err.stack).toContain(redacted)
      expect(err.stack).not.toMatch(/Ada|6f1a|xED/)
    })
  }

  test('writes no header, token or idempotency key that is passed to it', () => {
    const secrets = { authorization: 'Bearer abc', token: 'abc', idempotencyKey: 'abc' }
    expect(logged({ call: secrets })).not.toContain('abc')
  })
})
