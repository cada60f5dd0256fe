import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { type Answer, expectError, loggedErrors } from '../setup/trpc-wire.ts'

let shop: Shop
let token: string
beforeAll(async () => {
  shop = await openShop()
  token = await shop.adminToken()
})
afterAll(() => shop[Symbol.asyncDispose]())
beforeEach(() => {
  shop.statements.length = 0
})

interface Sent {
  path?: string
  body?: Buffer | string
  headers?: Record<string, string>
}

/** A POST whose bytes are sent unchanged. Without a body, a GET. */
function send({ path = '/trpc/stores.create', body, headers }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...headers,
    }
    const sent = request(shop.url, { method: body === undefined ? 'GET' : 'POST', path, headers: all, agent: false })
    sent.on('error', reject)
    sent.on('response', async (response) => {
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      const { statusCode: status = 0, headers } = response
      resolve({ status, headers: new Headers(headers as Record<string, string>), text })
    })
    sent.end(body)
  })
}

const NOT_UTF8 = {
  'a Latin-1 byte': [0xe9],
  'a byte order mark of UTF-16': [0xff, 0xfe],
  'an overlong NUL': [0xc0, 0x80],
  'an overlong slash': [0xe0, 0x80, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'a pair of surrogates': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  'a character above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a truncated sequence of two bytes': [0xc3],
  'a truncated sequence of three bytes': [0xe2, 0x82],
  'a truncated sequence of four bytes': [0xf0, 0x9f, 0x98],
  'a lone continuation byte': [0x80],
}

const bodyWith = (bytes: number[], [before, after] = ['{"json":{"name":"x', '"}}']) =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
const percent = (bytes: number[]) => bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('bytes that are not UTF-8 are 400 without a statement:', () => {
  for (const [what, bytes] of Object.entries(NOT_UTF8)) {
    test(what, async () => {
      const requests: Sent[] = [
        { body: bodyWith(bytes) },
        { path: '/trpc/stores.create?batch=1', body: bodyWith(bytes, ['{"0":{"json":{"name":"x', '"}}}']) },
        {
          path: '/trpc/stores.create,stores.create?batch=1',
          body: bodyWith(bytes, ['{"1":{"json":{"name":"x', '"}}}']),
        },
        { body: bodyWith(bytes, ['{"json":{"name":"x"}}', '']) },
        { path: `/trpc/products.scroll?input={"json":{"cursor":"${percent(bytes)}"}}` },
        { path: `/trpc/products.scroll?input=${encodeURIComponent('{"json":{"cursor":"')}${percent(bytes)}%22%7D%7D` },
        { path: `/trpc/products.scroll?batch=1&input={"0":{"json":{"cursor":"${percent(bytes)}"}}}` },
        { path: `/trpc/products.onStock?input={"json":{"productIds":[1],"lastEventId":"${percent(bytes)}"}}` },
        { path: `/trpc/stores.list?other=${percent(bytes)}` },
        { path: `/trpc/stores.list${percent(bytes)}` },
        { path: `/${percent(bytes)}` },
      ]
      for (const sent of requests) {
        const answer = await send(sent)
        expect.soft({ ...sent, status: answer.status }).toEqual({ ...sent, status: 400 })
        expectError(answer, 400, 'BAD_REQUEST')
        if (sent.body) expect.soft(answer.text).toContain('The body contains bytes that are not UTF-8.')
      }
      expect(shop.statements).toEqual([])
      expect(loggedErrors(shop)).toEqual([])
    })
  }

  test('bytes of the URL that are not ASCII', async () => {
    for (const bytes of [[0xe9], [0xc3, 0xa9]]) {
      const { socket, read } = await openSocket(shop)
      socket.write(Buffer.concat([Buffer.from('GET /trpc/stores.list?x='), Buffer.from(bytes)]))
      socket.write(' HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n')
      await eventually(read).toMatch(/^HTTP\/1\.1 400 .*\r\n\r\n.*BAD_REQUEST/s)
      socket.destroy()
    }
  })
})

test('a body of UTF-8 is read unchanged, also when it arrives in parts', async () => {
  const name = 'é 김민수 🍋 𠮷'
  const { text } = await send({ body: JSON.stringify({ json: { name } }) })
  expect(JSON.parse(text).result.data.json.name).toBe(name)
})

test('a byte order mark is ignored', async () => {
  const { text } = await send({ body: '\ufeff{"json":{"name":"marked"}}' })
  expect(JSON.parse(text).result.data.json.name).toBe('marked')
})

describe('a charset', () => {
  test('of UTF-8 is accepted, quoted and in any case', async () => {
    for (const [n, charset] of ['utf-8', 'UTF-8', 'utf8', 'UTF8', '"utf-8"', '"UTF8"'].entries()) {
      const headers = { 'content-type': `application/json; charset=${charset}` }
      const answer = await send({ body: `{"json":{"name":"charset ${n}"}}`, headers })
      expect({ charset, status: answer.status }).toEqual({ charset, status: 200 })
    }
  })

  test.each(['iso-8859-1', 'latin1', 'utf-16', 'utf-16le', 'utf-32', 'ascii', '"iso-8859-1"', '', "'utf-8'", 'utf-8x'])(
    'of %s is 415',
    async (charset) => {
      for (const type of [
        `application/json; charset=${charset}`,
        `application/json;CHARSET=${charset}`,
        `application/json; a=b; charset=${charset}`,
        `application/json; charset=utf-8; charset=${charset}`,
      ]) {
        for (const path of ['/trpc/stores.create', '/trpc/stores.create?batch=1']) {
          const answer = await send({ path, body: '{"json":{"name":"x"}}', headers: { 'content-type': type } })
          expectError(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
        }
      }
      expect(shop.statements).toEqual([])
    },
  )
})

describe('a Content-Encoding', () => {
  test.each(['gzip', 'GZIP', 'deflate', 'br', 'zstd', 'gzip, identity', 'x'])('of %s is 415', async (encoding) => {
    for (const path of ['/trpc/stores.create', '/trpc/stores.create?batch=1']) {
      const body = gzipSync('{"json":{"name":"x"}}')
      const answer = await send({ path, body, headers: { 'content-encoding': encoding } })
      expectError(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
      expect(answer.text).toContain('must not be compressed')
    }
    expect(shop.statements).toEqual([])
  })

  test('of identity, and one without a body, are accepted', async () => {
    const identity = { 'content-encoding': 'Identity' }
    expect((await send({ body: '{"json":{"name":"plain"}}', headers: identity })).status).toBe(200)
    const answer = await send({ path: '/trpc/stores.list', headers: { 'content-encoding': 'gzip' } })
    expect(answer.status).toBe(200)
  })
})
