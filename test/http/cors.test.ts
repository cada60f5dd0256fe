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

const asks = (path: string, origin: string, init: RequestInit = {}) =>
  send(shop, path, { ...init, headers: { ...(init.headers as Record<string, string>), origin } })

const preflight = (origin: string, headers = 'authorization,content-type') =>
  asks(CALL, origin, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
  })

describe('an origin on the list', () => {
  for (const origin of ALLOWED) {
    test(`${origin} may read the answer, and no other origin may read it from a cache`, async () => {
      for (const path of [CALL, '/livez', '/nothing', '/trpc/points.balance']) {
        const { headers } = await asks(path, origin)
        expect(headers.get('access-control-allow-origin')).toBe(origin)
        expect(headers.get('vary')?.split(/, ?/)).toContain('Origin')
        expect(headers.get('access-control-expose-headers')?.split(/, ?/)).toEqual(['retry-after', 'x-request-id'])
      }
    })
  }

  test('may read why a request was too large or of the wrong type', async () => {
    const [origin = ''] = ALLOWED
    for (const init of [json('x'.repeat(300_000)), { method: 'POST', body: 'x' }]) {
      const { status, headers } = await asks('/trpc/points.charge', origin, init)
      expect([413, 415]).toContain(status)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
    }
  })

  test('may send what the SDK sends', async () => {
    const { status, headers } = await preflight(ALLOWED[0] ?? '')
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(ALLOWED[0])
    expect(headers.get('access-control-allow-methods')?.split(/, ?/)).toEqual(['GET', 'POST'])
    const allowed = headers.get('access-control-allow-headers')?.split(/, ?/)
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-type', 'trpc-accept']))
    expect(headers.get('access-control-max-age')).toBe('600')
  })
})

describe('an origin that is not on the list is told nothing:', () => {
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
      for (const { headers } of [await asks(CALL, origin), await preflight(origin), await asks('/livez', origin)]) {
        expect(headers.get('access-control-allow-origin')).toBeNull()
        expect(headers.get('access-control-allow-credentials')).toBeNull()
      }
    })
  }

  test('and a cache keeps that answer apart, too', async () => {
    const { headers } = await asks(CALL, 'https://evil.example')
    expect(headers.get('vary')?.split(/, ?/)).toContain('Origin')
  })
})

test('nobody may send cookies', async () => {
  for (const answer of [await asks(CALL, ALLOWED[0] ?? ''), await preflight(ALLOWED[0] ?? '')]) {
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  }
})

test('without a list, no origin is allowed', async () => {
  await using closed = await openShop()
  const { status, headers } = await send(closed, CALL, { headers: { origin: 'https://shop.example' } })
  expect(status).toBe(200)
  expect(headers.get('access-control-allow-origin')).toBeNull()
})
