import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { send } from '../setup/trpc-wire.ts'
import { builtSite } from './browser-shop.ts'

const KILOBYTE = 1_024
/** What a slow 3G connection transfers in two seconds. */
const BYTES_MAX = 100 * KILOBYTE

const PATHS = ['/', '/?page=2&store=1', '/products/7', '/orders', '/points']

async function openStorefront() {
  const site = await builtSite()
  const users = [{ id: 7, name: 'Ada', token: 'a token' }]
  return openShop({ config: { storefront: true }, storefront: { build: () => site, users: async () => users } })
}

const assetsOf = (html: string) => [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)

describe('The storefront', () => {
  test('is served at each of its paths, and is revalidated on each visit', async () => {
    await using shop = await openStorefront()
    for (const path of PATHS) {
      const { status, text, headers } = await send(shop, path)
      expect({ path, status, type: headers.get('content-type') }).toEqual({
        path,
        status: 200,
        type: 'text/html; charset=utf-8',
      })
      expect(text).toContain('<div id="root">')
      expect(headers.get('cache-control')).toBe('no-cache')
      const again = await send(shop, path, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
      expect(again).toMatchObject({ status: 304, text: '' })
    }
    for (const missing of ['/products/seven', '/assets/../index.html', '/assets/none.js', '/index.html', '/missing']) {
      const { status, text } = await send(shop, missing)
      expect({ missing, status, data: JSON.parse(text).error.json.data.code }).toEqual({
        missing,
        status: 404,
        data: 'NOT_FOUND',
      })
    }
  })

  test('has a content security policy that permits only its own scripts, styles and server', async () => {
    await using shop = await openStorefront()
    const { headers, text } = await send(shop, '/')
    const policy = headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /)
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(text).not.toMatch(/<script(?![^>]* src="\/)|<style| style="| on\w+="|https?:\/\//)
  })

  test('has compressed assets that browsers cache indefinitely', async () => {
    await using shop = await openStorefront()
    const assets = assetsOf((await send(shop, '/')).text)
    expect(assets.map((path) => path.split('.').at(-1)).toSorted()).toEqual(['css', 'js'])
    const plain = await Promise.all(assets.map((path) => send(shop, path)))
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1, br;q=0', 'gzip'],
    ] as const) {
      for (const [index, path] of assets.entries()) {
        const response = await send(shop, path, { headers: { 'accept-encoding': accepted } })
        expect(response.headers.get('content-encoding')).toBe(encoding)
        expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
        expect(response.headers.get('vary')?.toLowerCase().split(', ')).toEqual(['origin', 'accept-encoding'])
        expect(response.text).toBe(plain[index]?.text)
      }
    }
  })

  test('has at most 100 KB of compressed files', async () => {
    const { directory } = await builtSite()
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    const files = names.filter((name) => /\.(html|js|css|svg)$/.test(name))
    const bytes = files.map(
      (name) => statSync(join(directory, names.includes(`${name}.br`) ? `${name}.br` : name)).size,
    )
    expect(bytes.length).toBeGreaterThanOrEqual(5)
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BYTES_MAX)
  })

  test('responds with status 503 and a placeholder page while it is being built, or if the build failed', async () => {
    for (const [state, pattern] of [
      ['building', /http-equiv="refresh"[\s\S]*The shop is being built/],
      ['failed', /The shop could not be built/],
    ] as const) {
      await using shop = await openShop({ config: { storefront: true }, storefront: { build: () => state } })
      const { status, text, headers } = await send(shop, '/')
      expect(status).toBe(503)
      expect(text).toMatch(pattern)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^' ]+'; frame-anc/,
      )
      expect((await send(shop, '/trpc/stores.list')).status).toBe(200)
      expect((await send(shop, '/theme.js')).status).toBe(404)
    }
  })
})

describe('The demo users', () => {
  test('are listed if the server offers them', async () => {
    await using shop = await openStorefront()
    expect((await send(shop, '/')).text).toContain('<meta name="pointwise-users" content="/storefront/users.json" />')
    const { text, headers } = await send(shop, '/storefront/users.json')
    expect(JSON.parse(text)).toEqual({ users: [{ id: 7, name: 'Ada', token: 'a token' }] })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('are not listed otherwise', async () => {
    const site = await builtSite()
    await using shop = await openShop({ config: { storefront: true }, storefront: { build: () => site } })
    expect((await send(shop, '/')).text).not.toContain('pointwise-users')
    expect((await send(shop, '/storefront/users.json')).status).toBe(404)
  })
})

test('Without STOREFRONT=on, no path of the storefront exists', async () => {
  const site = await builtSite()
  await using shop = await openShop({ config: { storefront: false }, storefront: { build: () => site } })
  for (const path of [...PATHS, '/theme.js', '/storefront/users.json']) {
    expect((await send(shop, path)).status).toBe(404)
  }
})
