import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { holdLocks } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { get, post } from '../setup/raw-http.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { expectError, loggedErrors, send } from '../setup/trpc-wire.ts'

const ORIGIN = 'https://shop.example'
const DELAY_MAX_MS = 400
const BATCH_OF_TWO = '/trpc/stores.list,stores.list?batch=1&input=%7B%7D'

/** A shop in which `count` calls are in progress until the locks are released. */
async function openBusy(count: number, concurrentCallsMax: number) {
  const shop = await openShop({ config: { corsOrigins: [ORIGIN] }, limits: { concurrentCallsMax } })
  const users = await shop.givenUsers(count)
  const locks = await holdLocks(shop.databaseUrl, 'select id from points for update')
  shop.statements.length = 0
  const charges = users.map(({ token }) => post(shop, 'points.charge', { token, input: { amount: 1 } }))
  await eventually(() => shop.statements.filter((sql) => sql === 'begin').length).toBe(count)
  shop.statements.length = 0
  const release = async () => {
    await locks[Symbol.asyncDispose]()
    return (await Promise.all(charges)).map(({ status }) => status)
  }
  return { shop, release }
}

const statusOfCall = (shop: Shop) => get(shop, 'stores.list').then(({ status }) => status)

describe('when the maximum number of calls is in progress', () => {
  it('a call is refused immediately with service_busy, without a statement and with CORS headers', async () => {
    const { shop: opened, release } = await openBusy(2, 2)
    await using shop = opened

    const answer = await send(shop, '/trpc/stores.list', { headers: { origin: ORIGIN } })

    const { refusal } = expectError(answer, 503, 'SERVICE_UNAVAILABLE')
    expect(refusal).toEqual({ code: 'service_busy', retry: 'same-key', afterMs: 1_000 })
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(shop.statements).toEqual([])
    expect(loggedErrors(shop)).toEqual([])
    expect(await release()).toEqual([200, 200])
    expect(await statusOfCall(shop)).toBe(200)
  })

  it.each([
    '/trpc/stores.list',
    '/%74rpc/stores.list',
    '/%74%72%70%63/stores%2elist',
    '/trpc/stores.list;x=1',
    'http://shop.example/trpc/stores.list',
    'HTTP://SHOP.EXAMPLE/%74rpc/stores.list',
    'https://user@shop.example:1/trpc/stores.list?x',
    'ftp://livez/trpc/stores.list',
    '//trpc/stores.list',
    '/./trpc/stores.list',
    '/livez/../trpc/stores.list',
    '/readyz/..%2ftrpc/stores.list',
    '/TRPC/stores.list',
    '/livez;/../trpc/stores.list',
    '/livez%3F/../trpc/stores.list',
  ])('a call is shed however its URL is written: %s', async (path) => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened
    const { socket, read, closed } = await openSocket(shop)
    socket.write(`GET ${path} HTTP/1.1\r\nhost: shop\r\norigin: ${ORIGIN}\r\nconnection: close\r\n\r\n`)
    await closed
    expect(read()).toMatch(/^HTTP\/1\.1 503 .*access-control-allow-origin: https:\/\/shop\.example.*service_busy/is)
    expect(shop.statements).toEqual([])
    await release()
  })

  it('the body of a refused request is not read', async () => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened
    const socket = connect(Number(new URL(shop.url).port), '127.0.0.1')
    await once(socket, 'connect')

    socket.write('POST /trpc/points.charge HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n')
    socket.write('content-length: 1000\r\n\r\n{')

    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 503 /)
    socket.destroy()
    await release()
  })

  it('health checks and CORS preflights are answered', async () => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened

    for (const path of ['/livez', '/readyz', '/livez?probe=1'])
      expect(await send(shop, path)).toMatchObject({ status: 200 })
    const preflight = { origin: ORIGIN, 'access-control-request-method': 'POST' }
    expect(await send(shop, '/trpc/points.charge', { method: 'OPTIONS', headers: preflight })).toMatchObject({
      status: 204,
    })
    await release()
  })

  it('each call of a batch counts, and the batch is refused as a whole: service_busy', async () => {
    const { shop: opened, release } = await openBusy(2, 3)
    await using shop = opened

    expectError(await send(shop, BATCH_OF_TWO), 503, 'SERVICE_UNAVAILABLE')
    expect(shop.statements).toEqual([])
    expect(await statusOfCall(shop)).toBe(200)
    await release()
    expect(await send(shop, BATCH_OF_TWO)).toMatchObject({ status: 200 })
  })

  it('shed requests are logged as at most one warning a second', async () => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened
    for (let n = 0; n < 50; n++) expect(await statusOfCall(shop)).toBe(503)
    await release()
    await shop.app.close()

    const warnings = shop.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'requests were shed')
    expect(warnings.length).toBeLessThanOrEqual(10)
    expect(warnings.reduce((sum, { requests }) => sum + requests, 0)).toBe(50)
    expect(warnings[0]).toMatchObject({ level: 40 })
  })

  it('the call of a client that disconnects counts until it is done', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 1 } })
    const { token } = await shop.givenUser()
    {
      await using _ = await holdLocks(shop.databaseUrl, 'select id from points for update')
      shop.statements.length = 0
      const aborted = new AbortController()
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const body = '{"json":{"amount":1}}'
      const charge = fetch(`${shop.url}/trpc/points.charge`, { method: 'POST', headers, body, signal: aborted.signal })
      await eventually(() => shop.statements.at(-1)).toBe('begin')
      aborted.abort()
      await expect(charge).rejects.toThrow('aborted')
      expect(await statusOfCall(shop)).toBe(503)
    }
    await eventually(() => statusOfCall(shop)).toBe(200)
  })

  it('a stream that tRPC’s adapter answers counts only until it starts', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 1 } })
    const { token } = await shop.givenUser()
    const aborted = new AbortController()
    const init = { headers: { authorization: `Bearer ${token}` }, signal: aborted.signal }
    const response = await fetch(`${shop.url}/trpc/points.onChange?and=more`, init)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await statusOfCall(shop)).toBe(200)
    aborted.abort()
  })

  it('responses that wait behind a stream on their connection do not count', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 2 } })
    const { id } = await shop.givenProduct()
    const { socket, read } = await openSocket(shop)
    const input = encodeURIComponent(JSON.stringify({ json: { productIds: [id] } }))
    socket.write(`GET /trpc/products.onStock?input=${input} HTTP/1.1\r\nhost: shop\r\n\r\n`)
    socket.write('GET /trpc/no,no?batch=1 HTTP/1.1\r\nhost: shop\r\ntrpc-accept: application/jsonl\r\n\r\n')
    await eventually(read).toContain('event: connected')
    await eventually(() => statusOfCall(shop)).toBe(200)
    socket.destroy()
  })

  it('a call that is refused or invalid does not count afterwards', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 1 } })
    for (const path of [
      '/trpc/users.me',
      '/trpc/products.get',
      '/trpc/nothing.here',
      '/trpc/stores.list?batch=1&input=%7B',
    ]) {
      await send(shop, path)
      expect(await statusOfCall(shop)).toBe(200)
    }
  })
})

describe('when the event loop is late', () => {
  it('requests that have waited are refused with service_busy, in the same turn of the loop too, and later ones succeed', async () => {
    await using shop = await openShop({ limits: { eventLoopDelayMaxMs: DELAY_MAX_MS } })
    const { token } = await shop.givenUser()
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = connect(Number(new URL(shop.url).port), '127.0.0.1').setEncoding('utf8')
        await once(socket, 'connect')
        return socket
      }),
    )
    // Once the connections are accepted, all three requests are read in the next turn of the loop.
    await eventually(() => new Promise((resolve) => shop.app.server.getConnections((_, count) => resolve(count)))).toBe(
      3,
    )
    shop.statements.length = 0
    const answers = sockets.map(async (socket) => {
      socket.write(`GET /trpc/users.me HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${token}\r\n\r\n`)
      return String(await once(socket, 'data')).slice(0, 13)
    })
    const until = performance.now() + 3 * DELAY_MAX_MS
    while (performance.now() < until);

    expect(await Promise.all(answers)).toEqual(Array(3).fill('HTTP/1.1 503 '))
    expect(shop.statements).toEqual([])
    for (const socket of sockets) socket.destroy()
    await eventually(() => statusOfCall(shop)).toBe(200)
  })
})
