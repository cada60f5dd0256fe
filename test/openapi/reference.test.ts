import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { send } from '../setup/trpc-wire.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ config: { storefront: true, corsOrigins: ['https://shop.example'] } })
})
afterAll(() => shop[Symbol.asyncDispose]())

describe.each([
  ['/openapi.json', { openapi: expect.stringMatching(/^3\.1\./), info: { title: 'Pointwise' } }],
  ['/asyncapi.json', { asyncapi: expect.stringMatching(/^3\./), info: { title: 'Pointwise events' } }],
])('%s', (path, content) => {
  test('returns the document, also to allowed other origins', async () => {
    const { status, headers, text } = await send(shop, path, { headers: { origin: 'https://shop.example' } })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example')
    expect(JSON.parse(text)).toMatchObject(content)
    expect((await send(shop, path)).text).toBe(text)
  })
})

test('/asyncapi.json names the Kafka topic of the configuration', async () => {
  await using other = await openShop({ fresh: 'topic', config: { eventTopic: 'shop.changes' } })
  expect(JSON.parse((await send(other, '/asyncapi.json')).text).channels.events.address).toBe('shop.changes')
})

describe('/reference', () => {
  test('is a page that shows both documents and sends requests only to this server', async () => {
    const { status, headers, text } = await send(shop, '/reference')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    for (const path of ['/openapi.json', '/asyncapi.json']) expect(text).toContain(`"url": "${path}"`)
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
    for (const path of ['/trpc/stores.list', '/openapi.json', '/asyncapi.json', '/nothing']) {
      const { headers } = await send(shop, path)
      expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    }
  })

  test('is not served without STOREFRONT, while the documents are', async () => {
    await using plain = await openShop({ fresh: 'plain' })
    expect((await send(plain, '/reference')).status).toBe(404)
    expect((await send(plain, '/reference/js/scalar.js')).status).toBe(404)
    expect((await send(plain, '/openapi.json')).status).toBe(200)
    expect((await send(plain, '/asyncapi.json')).status).toBe(200)
  })
})
