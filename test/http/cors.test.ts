import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

const ALLOWED = ['https://shop.example', 'https://admin.shop.example:8443']
const CALL = '/trpc/stores.list'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ config: { corsOrigins: ALLOWED } })
})
afterAll(() => shop[Symbol.asyncDispose]())

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
