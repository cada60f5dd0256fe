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
const LATE_MAX_MS = 400
const BATCH_OF_TWO = '/trpc/stores.list,stores.list?batch=1&input=%7B%7D'

/** A shop in which `count` calls are under way until the locks are let go. */
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

const callsIn = (shop: Shop) => get(shop, 'stores.list').then(({ status }) => status)

describe('beyond the calls that may be under way at once', () => {
  it('a call is service_busy at once, without a statement, and a browser may read it', async () => {
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
    expect(await callsIn(shop)).toBe(200)
  })

  it('a body is not read', async () => {
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

  it('a load balancer is told that the server is alive and ready, and a browser what it may send', async () => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened

    for (const path of ['/livez', '/readyz']) expect(await send(shop, path)).toMatchObject({ status: 200 })
    const asks = { origin: ORIGIN, 'access-control-request-method': 'POST' }
    expect(await send(shop, '/trpc/points.charge', { method: 'OPTIONS', headers: asks })).toMatchObject({ status: 204 })
    await release()
  })

  it('a batch counts for as many as it asks for: service_busy as a whole', async () => {
    const { shop: opened, release } = await openBusy(2, 3)
    await using shop = opened

    expectError(await send(shop, BATCH_OF_TWO), 503, 'SERVICE_UNAVAILABLE')
    expect(shop.statements).toEqual([])
    expect(await callsIn(shop)).toBe(200)
    await release()
    expect(await send(shop, BATCH_OF_TWO)).toMatchObject({ status: 200 })
  })

  it('what was turned away is one warning a second in the log', async () => {
    const { shop: opened, release } = await openBusy(1, 1)
    await using shop = opened
    for (let n = 0; n < 50; n++) expect(await callsIn(shop)).toBe(503)
    await release()
    await shop.app.close()

    const warnings = shop.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'requests were shed')
    expect(warnings.length).toBeLessThanOrEqual(10)
    expect(warnings.reduce((sum, { requests }) => sum + requests, 0)).toBe(50)
    expect(warnings[0]).toMatchObject({ level: 40 })
  })

  it('a client that goes away gives its place back when its call is done, and not before', async () => {
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
      expect(await callsIn(shop)).toBe(503)
    }
    await eventually(() => callsIn(shop)).toBe(200)
  })

  it('a stream that the adapter of tRPC answers has its place only until it begins', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 1 } })
    const { token } = await shop.givenUser()
    const aborted = new AbortController()
    const init = { headers: { authorization: `Bearer ${token}` }, signal: aborted.signal }
    const response = await fetch(`${shop.url}/trpc/points.onChange?and=more`, init)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await callsIn(shop)).toBe(200)
    aborted.abort()
  })

  it('answers that wait behind a stream on their connection have no place', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 2 } })
    const { id } = await shop.givenProduct()
    const { socket, read } = await openSocket(shop)
    const input = encodeURIComponent(JSON.stringify({ json: { productIds: [id] } }))
    socket.write(`GET /trpc/products.onStock?input=${input} HTTP/1.1\r\nhost: shop\r\n\r\n`)
    socket.write('GET /trpc/no,no?batch=1 HTTP/1.1\r\nhost: shop\r\ntrpc-accept: application/jsonl\r\n\r\n')
    await eventually(read).toContain('event: connected')
    await eventually(() => callsIn(shop)).toBe(200)
    socket.destroy()
  })

  it('what is refused or invalid gives its place back', async () => {
    await using shop = await openShop({ limits: { concurrentCallsMax: 1 } })
    for (const path of [
      '/trpc/users.me',
      '/trpc/products.get',
      '/trpc/nothing.here',
      '/trpc/stores.list?batch=1&input=%7B',
    ]) {
      await send(shop, path)
      expect(await callsIn(shop)).toBe(200)
    }
  })
})

describe('an event loop that is late', () => {
  it('answers what has waited for it with service_busy, also in the turn that is too long, and recovers', async () => {
    await using shop = await openShop({ limits: { eventLoopDelayMaxMs: LATE_MAX_MS } })
    const { token } = await shop.givenUser()
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = connect(Number(new URL(shop.url).port), '127.0.0.1').setEncoding('utf8')
        await once(socket, 'connect')
        return socket
      }),
    )
    // Let in, all three are read in the one turn of the loop that comes after.
    await eventually(() => new Promise((tell) => shop.app.server.getConnections((_, count) => tell(count)))).toBe(3)
    shop.statements.length = 0
    const answers = sockets.map(async (socket) => {
      socket.write(`GET /trpc/users.me HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${token}\r\n\r\n`)
      return String(await once(socket, 'data')).slice(0, 13)
    })
    const until = performance.now() + 3 * LATE_MAX_MS
    while (performance.now() < until);

    expect(await Promise.all(answers)).toEqual(Array(3).fill('HTTP/1.1 503 '))
    expect(shop.statements).toEqual([])
    for (const socket of sockets) socket.destroy()
    await eventually(() => callsIn(shop)).toBe(200)
  })
})
