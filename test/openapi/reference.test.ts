import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { send } from '../setup/trpc-wire.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ config: { storefront: true, corsOrigins: ['https://shop.example'] } })
})
afterAll(() => shop[Symbol.asyncDispose]())

describe('/openapi.json', () => {
  test('returns the document, also to allowed other origins', async () => {
    const { status, headers, text } = await send(shop, '/openapi.json', { headers: { origin: 'https://shop.example' } })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect(JSON.parse(text)).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), info: { title: 'Pointwise' } })
  })
})

describe('/reference', () => {
  test('is a page that shows the document and sends requests only to this server', async () => {
    const { status, headers, text } = await send(shop, '/reference')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    expect(text).toContain('"url": "/openapi.json"')
    expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)).toEqual(['js/scalar.js'])
    expect(text).not.toMatch(/https?:\/\//)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).not.toMatch(/https?:|unsafe-eval|\*/)
    expect(policy).toContain("default-src 'none'; connect-src 'self'")
  })

  test('allows its own inline script by hash, and no other', async () => {
    const { headers, text } = await send(shop, '/reference/')
    const inline = [...text.matchAll(/<script(?![^>]* src=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, line = '']) => line)
    expect(inline).toHaveLength(1)
    const [hash] = inline.map((line) => createHash('sha256').update(line).digest('base64'))
    expect(headers.get('content-security-policy')).toContain(`script-src 'self' 'sha256-${hash}'`)
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/)
  })

  test('serves its script from the package', async () => {
    const { status, headers, text } = await send(shop, '/reference/js/scalar.js')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/javascript/)
    expect(text.length).toBeGreaterThan(1_000_000)
  })

  test('does not change the policy of other responses', async () => {
    for (const path of ['/trpc/stores.list', '/openapi.json', '/nothing']) {
      const { headers } = await send(shop, path)
      expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    }
  })

  test('is not served without STOREFRONT, while the document is', async () => {
    await using plain = await openShop({ fresh: 'plain' })
    expect((await send(plain, '/reference')).status).toBe(404)
    expect((await send(plain, '/reference/js/scalar.js')).status).toBe(404)
    expect((await send(plain, '/openapi.json')).status).toBe(200)
  })
})
