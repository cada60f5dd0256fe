import { createClient } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { notSent } from '../../client-sdk/src/not-sent.ts'
import { dropConnection, respondAsProxy, startMisbehavingServer, succeedWith } from './misbehaving-server.ts'
import { charged, clientOf, errorOf, expectPlain, expectUnknown } from './retry-steps.ts'

const BRIEF = { timeoutMs: 1_300 }
const user = { id: 1, name: 'Ada', createdAt: new Date(0) }

/** The address of a server that has stopped. */
async function closedUrl(): Promise<string> {
  const server = await startMisbehavingServer(dropConnection)
  await server[Symbol.asyncDispose]()
  return server.url
}

describe('A request that could not be sent', () => {
  it('because the connection is refused is no unknown outcome, whatever the call', async () => {
    const client = clientOf({ url: await closedUrl() }, BRIEF)
    for (const call of [
      () => client.users.create.mutate({ name: 'Ada' }),
      () => client.points.charge.mutate({ amount: 1 }),
      () => client.payments.pay.mutate({ orderId: 1 }),
      () => client.stores.list.query(),
    ]) {
      const error = await errorOf(call())
      expectPlain(error)
      expect((error as Error).message).toMatch(/^The request was not sent, .*\(ECONNREFUSED\)/)
    }
  })

  it('because both addresses of a host name refuse the connection is no unknown outcome', async () => {
    const url = (await closedUrl()).replace('127.0.0.1', 'localhost')
    expectPlain(await errorOf(clientOf({ url }, BRIEF).users.create.mutate({ name: 'Ada' })))
  })

  it('because its host is unknown is no unknown outcome', async () => {
    expectPlain(
      await errorOf(clientOf({ url: 'http://pointwise.invalid' }, BRIEF).users.create.mutate({ name: 'Ada' })),
    )
  })

  it('because the server does not support TLS fails at once', async () => {
    await using server = await startMisbehavingServer(dropConnection)
    let fetches = 0
    const client = createClient({
      url: server.url.replace('http:', 'https:'),
      fetch: (input, init) => {
        fetches++
        return fetch(input, init)
      },
    })
    expectPlain(await errorOf(client.users.create.mutate({ name: 'Ada' })))
    expect(fetches).toBe(1)
  })

  it('is retried for every kind of call', async () => {
    await using server = await startMisbehavingServer(succeedWith(user))
    const closed = await closedUrl()
    let fetches = 0
    const redirected: typeof fetch = (input, init) =>
      fetch(++fetches <= 20 ? String(input).replace(server.url, closed) : input, init)
    expect(await clientOf(server, {}, { fetch: redirected }).users.create.mutate({ name: 'Ada' })).toEqual(user)
    expect(server.requests).toHaveLength(1)
  })

  it('leaves the outcome of an earlier attempt unknown', async () => {
    await using server = await startMisbehavingServer(dropConnection)
    const closed = await closedUrl()
    let fetches = 0
    const redirected: typeof fetch = (input, init) =>
      fetch(++fetches === 1 ? input : String(input).replace(server.url, closed), init)
    const error = await errorOf(clientOf(server, BRIEF, { fetch: redirected }).points.charge.mutate({ amount: 1 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
  })
})

describe('The error of a fetch', () => {
  const failed = (cause: object) => Object.assign(new TypeError('fetch failed'), { cause })

  it.each([
    ['a refused connection in Node.js', failed({ code: 'ECONNREFUSED', syscall: 'connect' })],
    ['an unreachable host in Node.js', failed({ code: 'EHOSTUNREACH', syscall: 'connect' })],
    ['a connection that is not established in time', failed({ code: 'UND_ERR_CONNECT_TIMEOUT' })],
    ['a temporary DNS failure', failed({ code: 'EAI_AGAIN', syscall: 'getaddrinfo' })],
    [
      'several refused connections',
      failed({ code: 'ECONNREFUSED', errors: [{ code: 'ECONNREFUSED' }, { code: 'ETIMEDOUT', syscall: 'connect' }] }),
    ],
    ['an expired certificate', failed({ code: 'CERT_HAS_EXPIRED' })],
    ['a self-signed certificate', failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
    ['a certificate of another host', failed({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })],
    [
      'a refused connection in Deno',
      new TypeError(
        'error sending request for url (http://a/): client error (Connect): tcp connect error: Connection refused (os error 111)',
      ),
    ],
  ])('proves that nothing was sent: %s', (_, error) => {
    expect(notSent(error)).toBeDefined()
  })

  it.each([
    ['a failure in a browser', new TypeError('Failed to fetch')],
    ['a reset connection', failed({ code: 'ECONNRESET', syscall: 'read' })],
    ['a host that became unreachable while the response was read', failed({ code: 'EHOSTUNREACH', syscall: 'read' })],
    ['a connection that the server closed', failed({ code: 'UND_ERR_SOCKET' })],
    ['a response that takes too long', failed({ code: 'UND_ERR_HEADERS_TIMEOUT' })],
    ['a failed write', failed({ code: 'EPIPE', syscall: 'write' })],
    [
      'one of several connections that was reset',
      failed({ errors: [{ code: 'ECONNREFUSED' }, { code: 'ECONNRESET' }] }),
    ],
    [
      'a failure in Bun, which may have sent the request before',
      Object.assign(new Error('Unable to connect.'), { code: 'ConnectionRefused' }),
    ],
    [
      'a lost connection in Deno',
      new TypeError(
        'error sending request for url (http://a/): client error (SendRequest): connection closed before message completed',
      ),
    ],
    ['no object', 'failed'],
  ])('proves nothing: %s', (_, error) => {
    expect(notSent(error)).toBeUndefined()
  })
})

describe('The header Retry-After of a proxy', () => {
  it('delays the next attempt', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      response.setHeader('retry-after', '1')
      respondAsProxy(503)(request, response)
    }, succeedWith(charged))
    const startedAt = performance.now()
    await clientOf(server).points.charge.mutate({ amount: 1 })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(999)
  })

  it('with status 429 makes a call that was not forwarded succeed later, also one without a key', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      response.setHeader('retry-after', new Date().toUTCString())
      respondAsProxy(429)(request, response)
    }, succeedWith(user))
    expect(await clientOf(server).users.create.mutate({ name: 'Ada' })).toEqual(user)
  })

  it('that exceeds the time of the call ends it at once', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      response.setHeader('retry-after', '3600')
      respondAsProxy(503)(request, response)
    })
    expectPlain(await errorOf(clientOf(server).stores.list.query()))
    expect(server.requests).toHaveLength(1)
  })
})
