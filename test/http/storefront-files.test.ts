import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { StorefrontBuildState } from '../../server/src/http/web/storefront.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { expectError, send } from '../setup/trpc-wire.ts'

const root = mkdtempSync(join(tmpdir(), 'pointwise-storefront-'))

/** A build whose files contain its name. */
function givenBuild(name: string): { directory: string } {
  const directory = join(root, name)
  mkdirSync(join(directory, 'assets'), { recursive: true })
  const files = {
    'index.html': `<title>${name}</title>`,
    'theme.js': `theme of ${name}`,
    'assets/index-A_b-1.js': `script of ${name}`,
    'assets/index-A_b-1.js.br': `brotli of ${name}`,
    'secret.txt': 'not part of the storefront',
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text)
  return { directory }
}

const first = givenBuild('first')
const second = givenBuild('second')
writeFileSync(join(root, 'outside.js'), 'outside of every build')

let state: StorefrontBuildState = first
let shop: Shop
beforeAll(async () => {
  shop = await openShop({ config: { storefront: true }, storefront: { build: () => state } })
})
afterEach(() => {
  state = first
})
afterAll(async () => {
  await shop[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

/** Sends a request as it is: `fetch` would normalize the path, and make a conditional request unconditional. */
async function sendRaw(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const sent = request(shop.url, { path, headers, agent: false }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response
}

const ASSET = '/assets/index-A_b-1.js'

describe('the files of the storefront', () => {
  test('follow a build that finishes while the server is running', async () => {
    state = 'building'
    expect(await send(shop, '/')).toMatchObject({ status: 503 })
    expectError(await send(shop, ASSET), 404, 'NOT_FOUND')
    for (const [build, name] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      state = build
      expect((await send(shop, '/')).text).toBe(`<title>${name}</title>`)
      expect((await send(shop, ASSET)).text).toBe(`script of ${name}`)
      expect((await send(shop, '/theme.js')).text).toBe(`theme of ${name}`)
    }
  })

  test('are not sent again to a browser that has them', async () => {
    for (const path of ['/', ASSET, '/theme.js']) {
      const { headers } = await sendRaw(path)
      const again = await sendRaw(path, { 'if-none-match': headers.etag ?? '' })
      expect({ path, status: again.statusCode }).toEqual({ path, status: 304 })
      expect(again.headers['cache-control']).toBe(headers['cache-control'])
    }
  })

  test('answer HEAD with the headers of GET', async () => {
    for (const path of ['/', ASSET, '/theme.js']) {
      const [head, get] = [await send(shop, path, { method: 'HEAD' }), await send(shop, path)]
      expect(head).toMatchObject({ status: 200, text: '' })
      for (const name of ['content-type', 'content-length', 'cache-control', 'etag', 'vary']) {
        expect({ path, name, value: head.headers.get(name) }).toEqual({ path, name, value: get.headers.get(name) })
      }
    }
  })

  test('that a page must check each time are no-cache, and a missing asset is not cached', async () => {
    expect((await send(shop, '/theme.js')).headers.get('cache-control')).toBe('no-cache')
    const missing = await send(shop, '/assets/none.js')
    expectError(missing, 404, 'NOT_FOUND')
    expect(missing.headers.get('cache-control')).toBeNull()
  })

  test.each([
    '/secret.txt',
    '/assets/../secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/..%2ftheme.js',
    '/assets/%2e%2e%2ftheme.js',
    '/assets/..%5ctheme.js',
    '/assets/..%2f..%2foutside.js',
    '/assets/index-A_b-1.js.br',
    '/assets/',
    '/assets',
    '//theme.js',
  ])('are the only files that can be read: 404 for %s', async (path) => {
    expect((await sendRaw(path)).statusCode).toBe(404)
  })
})
