import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { send } from '../setup/trpc-wire.ts'
import { builtSite } from './browser-shop.ts'

const KILOBYTE = 1_024
/** What a slow 3G connection brings in two seconds. */
const BYTES_MAX = 100 * KILOBYTE

const PLACES = ['/', '/?page=2&store=1', '/products/7', '/orders', '/points']

async function openStore() {
  const site = await builtSite()
  const users = [{ id: 7, name: 'Ada', token: 'a token' }]
  return openShop({ config: { storefront: true }, storefront: { build: () => site, users: async () => users } })
}

const assetsOf = (html: string) => [...html.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)

describe('the page', () => {
  test('is answered at each of its places, and is asked for each time', async () => {
    await using shop = await openStore()
    for (const place of PLACES) {
      const { status, text, headers } = await send(shop, place)
      expect({ place, status, type: headers.get('content-type') }).toEqual({
        place,
        status: 200,
        type: 'text/html; charset=utf-8',
      })
      expect(text).toContain('<div id="root">')
      expect(headers.get('cache-control')).toBe('no-cache')
      const again = await send(shop, place, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
      expect(again).toMatchObject({ status: 304, text: '' })
    }
    for (const other of ['/products/seven', '/assets/../index.html', '/assets/none.js', '/index.html', '/nowhere']) {
      const { status, text } = await send(shop, other)
      expect({ other, status, data: JSON.parse(text).error.json.data.code }).toEqual({
        other,
        status: 404,
        data: 'NOT_FOUND',
      })
    }
  })

  test('runs its own scripts, calls its own server, and may do nothing else', async () => {
    await using shop = await openStore()
    const { headers, text } = await send(shop, '/')
    const policy = headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /)
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(text).not.toMatch(/<script(?![^>]* src="\/)|<style| style="| on\w+="|https?:\/\//)
  })

  test('comes compressed, and stays in the browser for ever', async () => {
    await using shop = await openStore()
    const assets = assetsOf((await send(shop, '/')).text)
    expect(assets.map((path) => path.split('.').at(-1)).toSorted()).toEqual(['css', 'js'])
    const plain = await Promise.all(assets.map((path) => send(shop, path)))
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1, br;q=0', 'gzip'],
    ] as const) {
      for (const [index, path] of assets.entries()) {
        const answer = await send(shop, path, { headers: { 'accept-encoding': accepted } })
        expect(answer.headers.get('content-encoding')).toBe(encoding)
        expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
        expect(answer.headers.get('vary')?.toLowerCase().split(', ')).toEqual(['origin', 'accept-encoding'])
        expect(answer.text).toBe(plain[index]?.text)
      }
    }
  })

  test('is small enough for a slow connection', async () => {
    const { directory } = await builtSite()
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    const files = names.filter((name) => /\.(html|js|css|svg)$/.test(name))
    const bytes = files.map(
      (name) => statSync(join(directory, names.includes(`${name}.br`) ? `${name}.br` : name)).size,
    )
    expect(bytes.length).toBeGreaterThanOrEqual(5)
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(BYTES_MAX)
  })

  test('says that it is being built, and looks again; or that it could not be', async () => {
    for (const [site, words] of [
      ['building', /http-equiv="refresh"[\s\S]*The shop is being built/],
      ['failed', /The shop could not be built/],
    ] as const) {
      await using shop = await openShop({ config: { storefront: true }, storefront: { build: () => site } })
      const { status, text, headers } = await send(shop, '/')
      expect(status).toBe(503)
      expect(text).toMatch(words)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^' ]+'; frame-anc/,
      )
      expect((await send(shop, '/trpc/stores.list')).status).toBe(200)
      expect((await send(shop, '/theme.js')).status).toBe(404)
    }
  })
})

describe('the users of the demonstration', () => {
  test('are told where everybody may be anybody', async () => {
    await using shop = await openStore()
    expect((await send(shop, '/')).text).toContain('<meta name="pointwise-users" content="/storefront/users.json" />')
    const { text, headers } = await send(shop, '/storefront/users.json')
    expect(JSON.parse(text)).toEqual({ users: [{ id: 7, name: 'Ada', token: 'a token' }] })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('are told nowhere else', async () => {
    const site = await builtSite()
    await using shop = await openShop({ config: { storefront: true }, storefront: { build: () => site } })
    expect((await send(shop, '/')).text).not.toContain('pointwise-users')
    expect((await send(shop, '/storefront/users.json')).status).toBe(404)
  })
})

test('nothing of it is there without STOREFRONT=on', async () => {
  const site = await builtSite()
  await using shop = await openShop({ config: { storefront: false }, storefront: { build: () => site } })
  for (const path of [...PLACES, '/theme.js', '/storefront/users.json']) {
    expect((await send(shop, path)).status).toBe(404)
  }
})
