import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdLocks } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { type Answer, expectError, json, loggedErrors, send } from '../setup/trpc-wire.ts'

const ALLOWED = ['https://shop.example', 'https://admin.shop.example:8443']
const CALL = '/trpc/stores.list'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({
    config: { corsOrigins: ALLOWED, corsHeaders: ['traceparent', 'tracestate', 'baggage', 'sentry-trace'] },
  })
})
afterAll(() => shop[Symbol.asyncDispose]())

/** Requests of a page that are rejected, as lines, with the status of the response. */
const REJECTED: [status: number, lines: string[]][] = (
  [
    [400, ['GET /trpc/%zz HTTP/1.1']],
    [400, ['GET /trpc/stores.list?input=%E9 HTTP/1.1']],
    [400, ['GET /trpc/%C0%80 HTTP/1.1']],
    [400, ['GET /%ff HTTP/1.1']],
    [400, ['GET /trpc/stores.list HTTP/9.9']],
    [400, ['get /trpc/stores.list HTTP/1.1']],
    [400, ['POST /trpc/points.charge HTTP/1.1', 'content-length: 1x']],
    [400, ['POST /trpc/points.charge HTTP/1.1', 'content-length: 5', 'content-length: 6']],
    [400, ['GET /trpc/stores.list HTTP/1.1', 'bad header: x']],
    [400, ['GET /trpc/products.get?input=%7B HTTP/1.1']],
    [404, ['GET /nothing HTTP/1.1']],
    [405, ['GET /trpc/points.charge HTTP/1.1']],
    [413, ['POST /trpc/points.charge HTTP/1.1', 'content-type: application/json', 'content-length: 300000']],
    [414, [`GET /trpc/${'a'.repeat(1_200)} HTTP/1.1`]],
    [415, ['POST /trpc/points.charge HTTP/1.1', 'content-type: text/plain', 'content-length: 1']],
    [415, ['POST /trpc/points.charge HTTP/1.1', 'content-type: application/json; charset=x', 'content-length: 1']],
    [
      415,
      [
        'POST /trpc/points.charge HTTP/1.1',
        'content-type: application/json',
        'content-encoding: br',
        'content-length: 1',
      ],
    ],
    [431, [`GET /trpc/stores.list?input=${'a'.repeat(20_000)} HTTP/1.1`]],
    [431, ['GET /trpc/stores.list HTTP/1.1', `x: ${'a'.repeat(20_000)}`]],
  ] as [number, string[]][]
).map(([status, [start = '', ...lines]]) => [
  status,
  [start, 'host: shop', 'connection: close', 'origin: ORIGIN', ...lines],
])

/** Sends these lines unchanged and returns the response. */
async function exchange(...lines: string[]): Promise<string> {
  const { socket, read, closed } = await openSocket(shop)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await Promise.race([closed, eventually(read).toMatch(/^HTTP\/1\.1 204 .*\r\n\r\n|\r\n\r\n.*\}/s)])
  socket.destroy()
  return read()
}

function parseResponse(response: string): Answer {
  const [head = '', text = ''] = response.split('\r\n\r\n')
  const [status = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]))
  // The body is in chunks, or it is the rest of the response.
  return { status: Number(status.split(' ')[1]), headers, text: /[{[].*[}\]]/s.exec(text)?.[0] ?? '' }
}

const sendFrom = (path: string, origin: string, init: RequestInit = {}) =>
  send(shop, path, { ...init, headers: { ...(init.headers as Record<string, string>), origin } })

const preflight = (origin: string, headers = 'authorization,content-type') =>
  sendFrom(CALL, origin, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
  })

describe('an allowed origin', () => {
  for (const origin of ALLOWED) {
    test(`${origin} can read responses, which a cache must store per origin`, async () => {
      for (const path of [CALL, '/livez', '/nothing', '/trpc/points.balance']) {
        const { headers } = await sendFrom(path, origin)
        expect(headers.get('access-control-allow-origin')).toBe(origin)
        expect(headers.get('vary')?.split(/, ?/)).toContain('Origin')
        expect(headers.get('access-control-expose-headers')?.split(/, ?/)).toEqual([
          'retry-after',
          'server-time',
          'x-request-id',
        ])
      }
    })
  }

  test('can read the response to a request that is too large or of the wrong type', async () => {
    const [origin = ''] = ALLOWED
    for (const init of [json('x'.repeat(300_000)), { method: 'POST', body: 'x' }]) {
      const { status, headers } = await sendFrom('/trpc/points.charge', origin, init)
      expect([413, 415]).toContain(status)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
    }
  })

  test('can read every response to a request that is rejected before it reaches a procedure, in tRPC’s shape', async () => {
    const [origin = ''] = ALLOWED
    for (const [status, lines] of REJECTED) {
      const text = await exchange(...lines.map((line) => line.replace('ORIGIN', origin)))
      const { headers, ...answer } = parseResponse(text)
      expect
        .soft({ lines: lines[0]?.slice(0, 50), status: answer.status })
        .toEqual({ lines: lines[0]?.slice(0, 50), status })
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-expose-headers')).toContain('x-request-id')
      expect(headers.get('vary')).toContain('Origin')
      expectError({ ...answer, headers }, status, expect.any(String) as unknown as string)
    }
    expect(loggedErrors(shop)).toEqual([])
  })

  test('can read a 431 whose Origin header arrived before the rejected bytes, and so can every other origin', async () => {
    const accepted = once(shop.app.server, 'connection')
    const { socket, read } = await openSocket(shop)
    const [accepting] = (await accepted) as [Socket]
    const start = `GET /livez HTTP/1.1\r\nhost: shop\r\norigin: ${ALLOWED[0]}\r\nx: `
    socket.write(start)
    await eventually(() => accepting.bytesRead).toBe(start.length)
    socket.write('x'.repeat(20_000))
    await eventually(read).toMatch(/^HTTP\/1\.1 431 .*"httpStatus":431/s)
    expect(parseResponse(read()).headers.get('access-control-allow-origin')).toBe('*')
    socket.destroy()
  })

  test('gets no response for malformed bytes while the response to an earlier request is outstanding', async () => {
    const { token } = await shop.givenUser()
    await using _ = await holdLocks(shop.databaseUrl, 'select id from points for update')
    const { socket, read, closed } = await openSocket(shop)
    const body = '{"json":{"amount":1}}'
    const headers = `host: shop\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
    shop.statements.length = 0
    socket.write(`POST /trpc/points.charge HTTP/1.1\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`)
    await eventually(() => shop.statements).toContain('begin')
    socket.write('malformed\r\n\r\n')
    await closed
    expect(read()).toBe('')
  })

  test('can send the headers of tracing libraries, and those that the API reads', async () => {
    const { headers } = await preflight(ALLOWED[0] ?? '', 'traceparent,baggage,sentry-trace,idempotency-key')
    const allowed = headers.get('access-control-allow-headers')?.split(', ')
    expect(allowed).toEqual([
      ...[
        'authorization',
        'content-type',
        'idempotency-key',
        'last-event-id',
        'read-from',
        'request-deadline',
        'trpc-accept',
        'x-request-id',
      ],
      ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
    ])
  })

  test('can send the headers that the SDK sends', async () => {
    const { status, headers } = await preflight(ALLOWED[0] ?? '')
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(ALLOWED[0])
    expect(headers.get('access-control-allow-methods')?.split(/, ?/)).toEqual(['GET', 'POST'])
    const allowed = headers.get('access-control-allow-headers')?.split(/, ?/)
    expect(allowed).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'request-deadline', 'trpc-accept']),
    )
    expect(headers.get('access-control-max-age')).toBe('600')
  })
})

describe('an OPTIONS request', () => {
  test.each(['/trpc/stores.list', '/trpc/points.charge', '/livez', '/nothing', '/', '*'])(
    'for %s that is no preflight is 204 with the allowed methods',
    async (path) => {
      for (const origin of ['', `origin: ${ALLOWED[0]}`, 'origin: https://evil.example']) {
        const text = await exchange(`OPTIONS ${path} HTTP/1.1`, 'host: shop', ...(origin ? [origin] : []))
        const { status, headers } = parseResponse(text)
        expect({ path, origin, status }).toEqual({ path, origin, status: 204 })
        expect(headers.get('allow')).toBe('GET, POST, OPTIONS')
        expect(headers.get('access-control-allow-origin')).toBe(origin.includes('shop') ? ALLOWED[0] : null)
      }
    },
  )
})

describe('an origin that is not allowed gets no CORS headers:', () => {
  for (const origin of [
    'https://evil.example',
    'https://shop.example.evil.example',
    'https://evil-shop.example',
    'https://evil.example/https://shop.example',
    'https://sub.shop.example',
    'http://shop.example',
    'https://shop.example:444',
    'https://SHOP.example',
    'https://shop.example/',
    'null',
    '*',
  ]) {
    test(origin, async () => {
      for (const { headers } of [
        await sendFrom(CALL, origin),
        await preflight(origin),
        await sendFrom('/livez', origin),
      ]) {
        expect(headers.get('access-control-allow-origin')).toBeNull()
        expect(headers.get('access-control-allow-credentials')).toBeNull()
      }
    })
  }

  test('in responses to malformed requests', async () => {
    for (const [, lines] of REJECTED) {
      const text = await exchange(...lines.map((line) => line.replace('ORIGIN', 'https://evil.example')))
      expect(parseResponse(text).headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  test('and its responses, too, must be cached per origin', async () => {
    const { headers } = await sendFrom(CALL, 'https://evil.example')
    expect(headers.get('vary')?.split(/, ?/)).toContain('Origin')
  })
})

test('no origin can send cookies', async () => {
  for (const answer of [await sendFrom(CALL, ALLOWED[0] ?? ''), await preflight(ALLOWED[0] ?? '')]) {
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  }
})

test('no origin is allowed when CORS_ORIGINS is unset', async () => {
  await using closed = await openShop()
  const { status, headers } = await send(closed, CALL, { headers: { origin: 'https://shop.example' } })
  expect(status).toBe(200)
  expect(headers.get('access-control-allow-origin')).toBeNull()
})
