import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { holdLocks } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { type GivenUser, openShop, type Shop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'
import { json, send } from '../setup/trpc-wire.ts'

const ORIGIN = 'https://shop.example'
const QUICK_MS = 5_000

let shop: Shop
let user: GivenUser
beforeEach(async () => {
  shop = await openShop({ config: { corsOrigins: [ORIGIN] } })
  user = await shop.givenUser()
})
afterEach(() => shop[Symbol.asyncDispose]())

const request = (path: string, end = '\r\n') => `GET ${path} HTTP/1.1\r\nhost: shop\r\norigin: ${ORIGIN}\r\n${end}`

const CHARGE =
  'POST /trpc/points.charge HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: 22\r\n'

const lockWallets = () => holdLocks(shop.databaseUrl, 'select id from points for update')
const charge = () =>
  send(shop, '/trpc/points.charge', json('{"json":{"amount":70}}', { authorization: `Bearer ${user.token}` }))

/** Starts to close the server, and resolves when it accepts no new connection. */
async function beginClose(): Promise<{ closed: Promise<void> }> {
  const closed = shop.app.close()
  await eventually(() => shop.app.server.listening).toBe(false)
  return { closed }
}

const durationOf = async (action: Promise<unknown>) => {
  const started = performance.now()
  await action
  return performance.now() - started
}

test('a request in progress is completed during shutdown', async () => {
  const locks = await lockWallets()
  const answer = charge()
  await eventually(() => shop.statements.at(-1)).toBe('begin')
  const { closed } = await beginClose()
  await locks[Symbol.asyncDispose]()
  const { status, text } = await answer
  expect(status).toBe(200)
  expect(JSON.parse(text).result.data.json).toMatchObject({ balance: 70 })
  expectWithin(await durationOf(closed), QUICK_MS)
})

describe('an open connection', () => {
  test('does not delay the shutdown when it is idle', async () => {
    const idle = await Promise.all(Array.from({ length: 10 }, () => openSocket(shop)))
    for (const { socket } of idle) socket.write(request('/livez'))
    for (const { read } of idle) await eventually(read).toContain('{"status":"ok"}')
    expectWithin(await durationOf(shop.app.close()), QUICK_MS)
    for (const { socket } of idle) await eventually(() => socket.closed).toBe(true)
  })

  test('does not delay the shutdown when it becomes idle during the shutdown', async () => {
    const { socket, read } = await openSocket(shop)
    socket.write(request('/trpc/stores.list', ''))
    const { closed } = await beginClose()
    socket.write('\r\n')
    await eventually(read).toContain('503')
    expectWithin(await durationOf(closed), QUICK_MS)
  })

  test('does not delay the shutdown when no request was sent on it', async () => {
    const silent = await Promise.all(Array.from({ length: 10 }, () => openSocket(shop)))
    expectWithin(await durationOf(shop.app.close()), QUICK_MS)
    for (const { closed, read } of silent) {
      await closed
      expect(read()).toBe('')
    }
  })

  test('does not delay the shutdown when a request on it is incomplete, which is refused with service_busy', async () => {
    const [first, second, third] = [await openSocket(shop), await openSocket(shop), await openSocket(shop)]
    second.socket.write(request('/livez'))
    await eventually(second.read).toContain('{"status":"ok"}')
    for (const { socket } of [first, second]) socket.write(request('/trpc/stores.list', ''))
    third.socket.write(`${CHARGE}authorization: Bearer ${user.token}\r\n\r\n{"json":`)
    // A request that was refused must not be executed when the rest of it arrives.
    third.socket.once('data', () => third.socket.write('{"amount":70}}'))
    await send(shop, '/livez')
    shop.statements.length = 0
    expectWithin(await durationOf(shop.app.close()), QUICK_MS)
    for (const { closed, read } of [first, second, third]) {
      await closed
      const answer = read()
      const [head = '', body = ''] = answer.slice(answer.lastIndexOf('HTTP/1.1')).split('\r\n\r\n')
      expect(head).toMatch(/^HTTP\/1\.1 503 .*\r\nconnection: close\r\n.*\r\nretry-after: 1\r\n/s)
      expect(head).toContain('\r\naccess-control-allow-origin: *\r\n')
      const { data } = JSON.parse(body).error.json
      expect(data.refusal).toEqual({ code: 'service_busy', retry: 'same-key', afterMs: 1_000 })
      expect(head).toContain(`x-request-id: ${data.requestId}`)
    }
    expect(shop.statements).toEqual([])
  })

  test('gets service_busy in tRPC’s shape for a new request, with CORS headers', async () => {
    const { socket, read } = await openSocket(shop)
    socket.write(request('/trpc/stores.list', ''))
    const { closed } = await beginClose()
    shop.statements.length = 0
    socket.write('\r\n')
    await eventually(() => socket.readableEnded).toBe(true)
    await closed
    const [head = '', body = ''] = read().split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 503 /)
    expect(head.toLowerCase()).toContain('\r\nretry-after: 1\r\n')
    expect(head.toLowerCase()).toContain('\r\nconnection: close')
    expect(head.toLowerCase()).toContain(`\r\naccess-control-allow-origin: ${ORIGIN}\r\n`)
    const { data } = JSON.parse(body).error.json
    expect(data).toMatchObject({ code: 'SERVICE_UNAVAILABLE', httpStatus: 503, issues: null, outcome: null })
    expect(data.refusal).toEqual({ code: 'service_busy', retry: 'same-key', afterMs: 1_000 })
    expect(head).toContain(`x-request-id: ${data.requestId}`)
    expect(shop.statements).toEqual([])
  })

  test('gets the answers of the health checks: live, and not ready', async () => {
    const [ready, alive] = [await openSocket(shop), await openSocket(shop)]
    ready.socket.write(request('/readyz?probe=1', ''))
    alive.socket.write(request('/livez', ''))
    const { closed } = await beginClose()
    ready.socket.write('\r\n')
    alive.socket.write('\r\n')
    await eventually(ready.read).toContain('{"status":"unavailable","problem":"closing"}')
    await eventually(alive.read).toContain('{"status":"ok"}')
    await closed
  })
})

test('a new connection is refused after shutdown', async () => {
  await shop.app.close()
  await expect(send(shop, '/livez')).rejects.toThrow('fetch failed')
})
