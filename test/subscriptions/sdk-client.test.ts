import { createClient, type PointsChange, refusalOf } from '@pointwise/client-sdk'
import superjson from 'superjson'
import { expect, onTestFinished, test } from 'vitest'
import { type MisbehavingServer, type Reply, startMisbehavingServer } from '../client-sdk/misbehaving-server.ts'
import { Subscriber, subscribe } from '../setup/subscriber.ts'

const AT = new Date('2026-03-01T08:00:00.123Z')
const change = (amount: number): PointsChange => ({ type: 'charged', amount, balance: amount, orderId: null, at: AT })
const event = (id: number) => `data: ${JSON.stringify(superjson.serialize(change(id)))}\nid: ${id}\n\n\n`

const events =
  (...parts: (string | Buffer)[]): Reply =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const part of parts) response.write(part)
  }
const connected = (silentMs = 40_000) => `event: connected\ndata: {"reconnectAfterInactivityMs":${silentMs}}\n\n\n`
const then =
  (...replies: Reply[]): Reply =>
  (request, response) => {
    for (const reply of replies) reply(request, response)
  }
const end: Reply = (_, response) => void response.end()

const errorShape = (httpStatus: number, refusal: object | null) =>
  superjson.serialize({
    code: -32_603,
    message: 'No.',
    data: { code: 'X', httpStatus, requestId: null, refusal, issues: null, outcome: null },
  })
const errorEvent = (httpStatus: number, refusal: object | null) =>
  `event: serialized-error\ndata: ${JSON.stringify(errorShape(httpStatus, refusal))}\n\n\n`
const answer =
  (status: number, body: string, type = 'application/json'): Reply =>
  (_, response) => {
    response.writeHead(status, { 'content-type': type }).end(body)
  }
const refused = (code: string) => ({ code, retry: 'never' })

async function startServer(...replies: Reply[]): Promise<MisbehavingServer> {
  const server = await startMisbehavingServer(...replies)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

function subscribeTo(
  { url }: MisbehavingServer,
  options: Parameters<typeof createClient>[0] | object = {},
): Subscriber<PointsChange> {
  const client = createClient({ url, ...options })
  const subscriber = new Subscriber<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))
  onTestFinished(() => subscriber[Symbol.dispose]())
  return subscriber
}

const inputOf = (path: string) => {
  const text = new URL(path, 'http://shop').searchParams.get('input')
  return text === null ? undefined : superjson.parse(text)
}

test('a client that receives nothing for longer than the server allows reconnects after its last id', async () => {
  const server = await startServer(events(connected(50), event(1)), events(connected(), event(2)))
  const points = subscribeTo(server)
  await points.received(2)
  expect(points.ids).toEqual([1, 2])
  expect(points.changes).toEqual([change(1), change(2)])
  expect(server.requests.map(({ path }) => inputOf(path))).toEqual([undefined, { lastEventId: '1' }])
})

test('a client without a change reconnects after the last id of a connected event or a ping', async () => {
  const server = await startServer(
    then(events(connected().replace(/\n\n$/, 'id: 7\n\n')), end),
    then(events(connected(), 'event: ping\ndata: \nid: 9\n\n\n'), end),
    events(connected(), event(10)),
  )
  const points = subscribeTo(server)
  await points.received(1)
  expect(points.ids).toEqual([10])
  expect(server.requests.map(({ path }) => inputOf(path))).toEqual([
    undefined,
    { lastEventId: '7' },
    { lastEventId: '9' },
  ])
})

test('an error thrown by onData ends the subscription and is passed to onError', async () => {
  const server = await startServer(events(connected(), event(1)))
  const { promise, resolve } = Promise.withResolvers<unknown>()
  createClient(server).points.onChange.subscribe(undefined, {
    onData: () => {
      throw new Error('The page is gone.')
    },
    onError: resolve,
  })
  expect(await promise).toMatchObject({ name: 'TRPCClientError', message: 'The page is gone.' })
  expect(server.requests).toHaveLength(1)
})

test('pings keep a connection without changes open', async () => {
  let pings: NodeJS.Timeout | undefined
  onTestFinished(() => clearInterval(pings))
  const server = await startServer((request, response) => {
    events(connected(200), event(1))(request, response)
    let count = 0
    pings = setInterval(() => response.write(++count < 10 ? 'event: ping\ndata: \n\n\n' : event(2)), 50)
  })
  const points = subscribeTo(server)
  await points.received(2)
  expect(server.requests).toHaveLength(1)
})

test('events are parsed correctly when every byte arrives separately', async () => {
  const whole = Buffer.from(`: a comment\n\n${connected()}${event(1)}${event(2).replace('charged', 'chargéd ☕')}`)
  const server = await startServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    for (const byte of whole) {
      response.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
  })
  const points = subscribeTo(server)
  await points.received(2)
  expect(points.changes).toEqual([change(1), { ...change(2), type: 'chargéd ☕' }])
})

test('temporary failures are retried: a lost connection, a gateway error, service_busy and an internal error', async () => {
  const busy = { code: 'service_busy', retry: 'same-key', afterMs: 1 }
  const server = await startServer(
    (request) => request.socket.destroy(),
    answer(502, '<h1>Bad Gateway</h1>', 'text/html'),
    answer(503, JSON.stringify({ error: errorShape(503, busy) })),
    then(events(connected(), event(1)), end),
    events(connected(), errorEvent(500, null)),
    events(connected(), errorEvent(503, busy)),
    events(connected(), event(2)),
  )
  const points = subscribeTo(server)
  await points.received(2)
  expect(points.ids).toEqual([1, 2])
  expect(server.requests).toHaveLength(7)
})

test('a permanent refusal ends the subscription, in a stream and in a JSON response', async () => {
  for (const reply of [
    events(connected(), errorEvent(404, refused('product_not_found'))),
    answer(404, JSON.stringify({ error: errorShape(404, refused('product_not_found')) })),
  ]) {
    const server = await startServer(reply)
    const points = subscribeTo(server)
    expect(refusalOf(await points.failed())).toEqual(refused('product_not_found'))
    expect(server.requests).toHaveLength(1)
  }
})

test('a response of another kind of server ends the subscription', async () => {
  for (const reply of [answer(404, '<h1>Not Found</h1>', 'text/html'), answer(200, '{"result":{"data":{}}}')]) {
    expect(await subscribeTo(await startServer(reply)).failed()).toMatchObject({ name: 'TRPCClientError' })
  }
})

test('rate_limited ends the first connection attempt, and delays a later one', async () => {
  const limited = errorEvent(429, { code: 'rate_limited', retry: 'same-key', afterMs: 10 })
  expect(refusalOf(await subscribeTo(await startServer(events(connected(), limited))).failed())).toMatchObject({
    code: 'rate_limited',
  })
  const server = await startServer(
    then(events(connected(), event(1)), end),
    events(connected(), limited),
    events(connected(), event(2)),
  )
  const points = subscribeTo(server)
  await points.received(2)
})

test('a token that is refused on a reconnection is requested again', async () => {
  const server = await startServer(
    then(events(connected(), event(1)), end),
    events(connected(), errorEvent(401, refused('token_invalid'))),
    events(connected(), event(2)),
  )
  const tokens = ['a', 'old', 'new']
  const points = subscribeTo(server, { token: async () => tokens.shift(), headers: { 'x-shop': 'one' } })
  await points.received(2)
  expect(server.requests.map(({ headers }) => [headers.authorization, headers['x-shop'], headers.accept])).toEqual(
    ['a', 'old', 'new'].map((token) => [`Bearer ${token}`, 'one', 'text/event-stream']),
  )
})

test('a token function that rejects ends the first connection attempt with its error', async () => {
  const server = await startServer(events(connected()))
  const token = () => Promise.reject(new Error('Signed out.'))
  expect(await subscribeTo(server, { token }).failed()).toMatchObject({ message: 'Signed out.' })
  expect(server.requests).toEqual([])
})

test('the loop ends when the server ends the stream with a return event', async () => {
  const server = await startServer(then(events(connected(), event(1), 'event: return\ndata: \n\n\n'), end))
  const ids: string[] = []
  for await (const { id } of createClient(server).points.onChange.subscribe()) ids.push(id)
  expect(ids).toEqual(['1'])
})

test('aborting the signal ends the subscription and closes the connection', async () => {
  const closed = Promise.withResolvers<void>()
  const server = await startServer((request, response) => {
    response.on('close', closed.resolve)
    events(connected(), event(1))(request, response)
  })
  const controller = new AbortController()
  const ids: string[] = []
  for await (const { id } of createClient(server).points.onChange.subscribe(undefined, { signal: controller.signal })) {
    ids.push(id)
    controller.abort()
  }
  expect(ids).toEqual(['1'])
  await closed.promise
})

test('unsubscribing during the delay before a reconnection cancels the reconnection', async () => {
  const server = await startServer(then(events(connected(), event(1)), end), answer(503, ''))
  const points = await subscribe<PointsChange>((callbacks) =>
    createClient(server).points.onChange.subscribe(undefined, callbacks),
  )
  await server.received(2)
  points[Symbol.dispose]()
  const before = server.requests.length
  const other = subscribeTo(await startServer(events(connected(), event(1))))
  await other.received(1)
  expect(server.requests.length - before).toBeLessThanOrEqual(1)
})
