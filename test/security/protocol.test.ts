import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { expectError, expectNoInternals, loggedErrors } from '../setup/trpc-wire.ts'

let shop: Shop
let token: string
beforeAll(async () => {
  shop = await openShop({ config: { corsOrigins: ['https://shop.example'] } })
  token = (await shop.givenUser({ points: 500 })).token
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
  shop.log.length = 0
})

type Headers = Record<string, string | string[]>

/** Sends a request without normalizing its path, method or headers. */
async function ask(method: string, path: string, headers: Headers = {}, body?: string) {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(shop.url, { method, path, headers: { ...headers, ...length }, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part)
  const text = Buffer.concat(parts).toString()
  return { status: response.statusCode as number, headers: new globalThis.Headers(response.headers), text }
}

/** Sends these lines unchanged and returns the response. */
async function exchange(...lines: string[]): Promise<string> {
  const { socket, read, closed } = await openSocket(shop)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await Promise.race([closed, eventually(read).toMatch(/\r\n\r\n/)])
  socket.destroy()
  return read()
}

const JSON_TYPE = { 'content-type': 'application/json' }
const charge = '{"json":{"amount":1}}'
const bearer = () => ({ authorization: `Bearer ${token}` })

describe('a method', () => {
  test.each(['PUT', 'PATCH', 'DELETE'])('%s executes no procedure', async (method) => {
    for (const path of ['/trpc/points.charge', '/trpc/stores.list']) {
      const answer = await ask(method, path, { ...bearer(), ...JSON_TYPE }, charge)
      expectError(answer, 405, 'METHOD_NOT_SUPPORTED')
    }
    expect(shop.statements).toEqual([])
  })

  test.each(['TRACE', 'PROPFIND', 'LINK', 'SEARCH', 'QUERY'])(
    '%s is rejected, and not logged as an error',
    async (method) => {
      const answer = await ask(method, '/trpc/stores.list', bearer())
      expect([400, 404, 405, 415]).toContain(answer.status)
      expectNoInternals(answer)
      expect(answer.text).not.toContain(token)
      expect(shop.statements).toEqual([])
      expect(loggedErrors(shop)).toEqual([])
    },
  )

  test('CONNECT opens no tunnel', async () => {
    expect(await exchange('CONNECT 127.0.0.1:3306 HTTP/1.1', 'host: shop')).not.toMatch(/^HTTP\/1\.1 2/)
  })

  test('HEAD executes no procedure and has no body', async () => {
    for (const path of ['/trpc/points.balance', '/trpc/points.charge']) {
      const answer = await ask('HEAD', path, bearer())
      expect(answer.text).toBe('')
      expect(answer.status).not.toBe(500)
    }
    expect(shop.statements).toEqual([])
  })

  test('OPTIONS executes no procedure', async () => {
    const answer = await ask('OPTIONS', '/trpc/points.charge', { ...bearer(), origin: 'https://evil.example' })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expectNoInternals(answer)
    expect(shop.statements).toEqual([])
  })

  test.each(['x-http-method-override', 'x-http-method', 'x-method-override'])(
    'is not overridden by %s',
    async (name) => {
      expectError(
        await ask('POST', '/trpc/users.me', { ...bearer(), ...JSON_TYPE, [name]: 'GET' }, '{}'),
        405,
        'METHOD_NOT_SUPPORTED',
      )
      expectError(await ask('GET', '/trpc/points.charge', { ...bearer(), [name]: 'POST' }), 405, 'METHOD_NOT_SUPPORTED')
      expectError(
        await ask('POST', '/trpc/users.me?_method=GET', { ...bearer(), ...JSON_TYPE }, '{}'),
        405,
        'METHOD_NOT_SUPPORTED',
      )
      expect(shop.statements).toEqual([])
    },
  )
})

describe('a path', () => {
  test.each([
    '/trpc/../livez',
    '/trpc/..%2f..%2fetc/passwd',
    '/trpc/..%2f..%2flivez',
    '/trpc/%2e%2e/livez',
    '/trpc/..\\..\\livez',
    '/trpc//stores.list',
    '//trpc/stores.list',
    '/trpc/stores.list/',
    '/trpc/stores%00.list',
    '/trpc/./stores.list',
    '/TRPC/stores.list',
    '/trpc/stores/list',
    'http://evil.example/trpc/../etc/passwd',
  ])('reaches no other route: %s', async (path) => {
    const answer = await ask('GET', path, bearer())
    expectError(answer, 404, 'NOT_FOUND')
    expect(shop.statements).toEqual([])
  })
})

describe('a header', () => {
  test('that contains a line break in a request id sets no response header', async () => {
    for (const id of [
      'abcdefgh%0d%0aset-cookie:%20a=b',
      'abcdefgh\tset-cookie: a=b',
      'abcdefgh\\r\\nset-cookie: a=b',
    ]) {
      const { headers } = await ask('GET', '/trpc/stores.list', { 'x-request-id': id })
      expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
      expect(headers.get('set-cookie')).toBeNull()
    }
  })

  test.each(['\n', '\r', '\0'])('that contains %j makes the request malformed: 400', async (character) => {
    const answer = await exchange(
      'GET /trpc/stores.list HTTP/1.1',
      'host: shop',
      `x-request-id: abcdefgh${character}ijkl: m`,
    )
    expect(answer).toMatch(character === '\n' ? /^HTTP\/1\.1 (200|400) / : /^HTTP\/1\.1 400 /)
    expect(answer.toLowerCase()).not.toContain('\r\nijkl')
  })

  test.each([
    ['two lengths', 'content-length: 21', 'content-length: 22'],
    ['a length and chunks', 'content-length: 21', 'transfer-encoding: chunked'],
    ['an obfuscated encoding', 'transfer-encoding: chunked, identity', 'x: y'],
    ['a malformed length', 'content-length: 0x15', 'x: y'],
    ['a blank before the colon', 'content-length : 21', 'x: y'],
  ])('cannot give the length of a body ambiguously: %s is 400', async (_, ...lines) => {
    const answer = await exchange(
      'POST /trpc/points.charge HTTP/1.1',
      'host: shop',
      'content-type: application/json',
      ...lines,
      '',
      charge,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(shop.statements).toEqual([])
  })

  test('that is sent twice: only the first token is used', async () => {
    const lines = ['GET /trpc/users.me HTTP/1.1', 'host: shop', 'connection: close']
    const [good, bad] = [`authorization: Bearer ${token}`, 'authorization: Bearer invalid']
    expect(await exchange(...lines, good, bad)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await exchange(...lines, bad, good)).toMatch(/^HTTP\/1\.1 401 /)
  })

  test.each(['evil.example', 'evil.example:80@shop', '127.0.0.1:3306', '"><script>alert(1)</script>'])(
    'Host is neither trusted nor echoed: %s',
    async (host) => {
      const forwarded = { 'x-forwarded-host': host, 'x-forwarded-proto': 'gopher' }
      const answer = await ask('GET', '/trpc/stores.list', { host, ...forwarded })
      expect(answer.status).toBe(200)
      const sent = JSON.stringify([...answer.headers]) + answer.text
      expect(sent).not.toContain(host)
      expect(sent).not.toContain('gopher')
    },
  )

  test('Host is required: 400 without it', async () => {
    expect(await exchange('GET /trpc/stores.list HTTP/1.1')).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('cannot upgrade the protocol', async () => {
    const upgrade = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'eA==',
    }
    expect(await ask('GET', '/trpc/stores.list', upgrade)).toMatchObject({ status: 200 })
  })

  test('of 20,000 characters is 431, and of 3,000 headers the rest is dropped', async () => {
    expect(await exchange('GET /livez HTTP/1.1', 'host: shop', `x: ${'x'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431 /)
    const many = Array.from({ length: 3_000 }, (_, n) => `x${n}: `)
    expect(await exchange('GET /livez HTTP/1.1', 'host: shop', ...many)).toMatch(/^HTTP\/1\.1 (200|431) /)
  })
})

test('a query string with an input as an array is 400, and only the first of two inputs is used', async () => {
  const input = (id: number) => encodeURIComponent(`{"json":{"productId":${id}}}`)
  for (const query of [`input[]=${input(1)}`, 'input[json]=1', `input=${input(-1)}&input=${input(1)}`]) {
    expectError(await ask('GET', `/trpc/products.get?${query}`), 400, 'BAD_REQUEST')
  }
  expect(shop.statements).toEqual([])
})

test('none of these requests is logged as an error', () => expect(loggedErrors(shop)).toEqual([]))
