import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Refusal } from '@pointwise/client-sdk'
import superjson from 'superjson'

/** Handles one request. */
export type Reply = (request: IncomingMessage, response: ServerResponse) => unknown

export interface RecordedRequest {
  /** The path and the query. */
  path: string
  headers: IncomingMessage['headers']
  /** The input of a mutation. */
  input: Record<string, unknown>
}

export interface MisbehavingServer extends AsyncDisposable {
  url: string
  /** The requests so far. */
  requests: RecordedRequest[]
  /** Resolves when the server has received this many requests. */
  received: (count: number) => Promise<void>
}

/** Starts a server that handles the nth request with the nth reply, and all further requests with the last reply. */
export async function startMisbehavingServer(...replies: Reply[]): Promise<MisbehavingServer> {
  const requests: RecordedRequest[] = []
  const server = createServer(async (request, response) => {
    const body = await readBody(request)
    const input = body === '' ? {} : superjson.deserialize<Record<string, unknown>>(JSON.parse(body))
    requests.push({ path: request.url ?? '', headers: request.headers, input })
    replies[Math.min(requests.length, replies.length) - 1]?.(request, response)
    server.emit('recorded')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async received(count) {
      while (requests.length < count) await once(server, 'recorded')
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Closes the connection before the response. */
export const dropConnection: Reply = (request) => request.socket.destroy()

/** Closes the connection in the middle of the response. */
export const dropMidResponse: Reply = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 })
  response.write('{"result":', () => request.socket.destroy())
}

/** Leaves the connection open and never responds. */
export const neverRespond: Reply = () => undefined

/** Responds as a proxy or a server that is not a Pointwise server. */
export const respondAsProxy =
  (status: number, body = '<h1>Bad gateway</h1>'): Reply =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' }).end(body)
  }

/** The call succeeds with this result. */
export const succeedWith =
  (data: unknown): Reply =>
  (request, response) =>
    send(request, response, 200, { result: { data: superjson.serialize(data) } })

/** The call is refused. */
export const refuseWith =
  (refusal: Refusal): Reply =>
  (request, response) =>
    send(request, response, 409, errorBody(409, { refusal }))

/** The server fails; `outcome` is whether it knows if the call took effect. */
export const failWith =
  (outcome: 'unknown' | null): Reply =>
  (request, response) =>
    send(request, response, 500, errorBody(500, { outcome }))

/** Adds the server's time to a response. `timeAt` returns it for the deadline of the request. */
export const atServerTime =
  (timeAt: (deadline: number) => number, reply: Reply): Reply =>
  (request, response) => {
    response.setHeader('server-time', timeAt(Number(request.headers['request-deadline'])))
    return reply(request, response)
  }

function errorBody(httpStatus: number, fields: object) {
  const data = { code: 'CONFLICT', httpStatus, requestId: 'r-1', refusal: null, issues: null, outcome: null, ...fields }
  return { error: superjson.serialize({ message: 'The call failed.', code: -32009, data }) }
}

function send(request: IncomingMessage, response: ServerResponse, status: number, result: object): void {
  const url = new URL(request.url ?? '', 'http://localhost')
  const calls = url.pathname.split(',').length
  const body = url.searchParams.has('batch') ? Array.from({ length: calls }, () => result) : result
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}
