import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Refusal } from '@pointwise/client-sdk'
import superjson from 'superjson'

/** What is done with one request. */
export type Reply = (request: IncomingMessage, response: ServerResponse) => void

export interface Seen {
  path: string
  headers: IncomingMessage['headers']
  /** The input of a mutation. */
  input: Record<string, unknown>
}

export interface OddServer extends AsyncDisposable {
  url: string
  /** The requests so far. */
  seen: Seen[]
  /** Resolves when so many requests have come. */
  arrived: (count: number) => Promise<void>
}

/** A server that does with the nth request what the nth reply says, and with all further ones what the last says. */
export async function openOddServer(...replies: Reply[]): Promise<OddServer> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const input = body === '' ? {} : superjson.deserialize<Record<string, unknown>>(JSON.parse(body))
    seen.push({ path: request.url ?? '', headers: request.headers, input })
    replies[Math.min(seen.length, replies.length) - 1]?.(request, response)
    server.emit('seen')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async arrived(count) {
      while (seen.length < count) await once(server, 'seen')
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The connection is lost before anything is answered. */
export const cut: Reply = (request) => request.socket.destroy()

/** The connection is lost in the middle of the answer. */
export const cutMidway: Reply = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 })
  response.write('{"result":', () => request.socket.destroy())
}

/** The connection stays open, and nothing comes. */
export const silence: Reply = () => undefined

/** Something that is not our server answers. */
export const stranger =
  (status: number, body = '<h1>Bad gateway</h1>'): Reply =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' }).end(body)
  }

/** The call succeeds with this. */
export const answer =
  (data: unknown): Reply =>
  (request, response) =>
    send(request, response, 200, { result: { data: superjson.serialize(data) } })

/** The call is refused. */
export const refuse =
  (refusal: Refusal): Reply =>
  (request, response) =>
    send(request, response, 409, errorOf(409, { refusal }))

/** The server fails, and knows or does not know what became of the call. */
export const fail =
  (outcome: 'unknown' | null): Reply =>
  (request, response) =>
    send(request, response, 500, errorOf(500, { outcome }))

function errorOf(httpStatus: number, said: object) {
  const data = { code: 'CONFLICT', httpStatus, requestId: 'r-1', refusal: null, issues: null, outcome: null, ...said }
  return { error: superjson.serialize({ message: 'No.', code: -32009, data }) }
}

function send(request: IncomingMessage, response: ServerResponse, status: number, answer: object): void {
  const path = new URL(request.url ?? '', 'http://odd')
  const calls = path.pathname.split(',').length
  const body = path.searchParams.has('batch') ? Array.from({ length: calls }, () => answer) : answer
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function text(request: IncomingMessage): Promise<string> {
  let all = ''
  for await (const chunk of request.setEncoding('utf8')) all += chunk
  return all
}
