import { randomUUID } from 'node:crypto'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { BUSY_AFTER_MS } from '../refusals.ts'
import { errorBody, sendClosing } from './error-responses.ts'

const SWEEP_MS = 250
/**
 * How often a client is passed over that has not said what it wants: two seconds. By the clock, a process that stood
 * still would cut off who had no time to speak.
 */
const SWEEPS_TO_SPEAK = 8

/**
 * From the moment `app.close()` is called: requests that are under way finish, new ones on open connections get 503, and
 * keep-alive sockets are closed as soon as they are idle. Two seconds later, whoever has said half of what he wants gets
 * 503 as well, and connections on which nothing was said are closed. Returns whether that moment has come.
 */
export function drainOnClose(app: FastifyInstance): () => boolean {
  const closeSilent = trackPendingConnections(app.server)
  let closing = false
  let sweep: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    closing = true
    let sweeps = 0
    sweep = setInterval(() => {
      app.server.closeIdleConnections()
      if (++sweeps >= SWEEPS_TO_SPEAK) closeSilent()
    }, SWEEP_MS)
  })
  app.addHook('onClose', async () => clearInterval(sweep))
  app.addHook('onRequest', (request, reply, done) => {
    if (!closing || request.url === '/livez' || request.url === '/readyz') done()
    else sendClosing(request, reply)
  })
  return () => closing
}

/**
 * Closes the connections on which no request has arrived whole. To Node a connection is not idle before the head of its
 * first request is there, and browsers open connections before they need them.
 */
function trackPendingConnections(server: Server): () => void {
  const connections = new Set<Socket>()
  const answers = new Set<ServerResponse>()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (_request, response) => {
    answers.add(response)
    response.once('close', () => answers.delete(response))
  })
  return () => {
    const heard = [...answers].filter(({ req, headersSent }) => req.complete || headersSent)
    const busy = new Set(heard.map(({ req }) => req.socket))
    for (const connection of connections) {
      if (busy.has(connection)) continue
      if (connection.bytesRead > 0) connection.write(rawBusyResponse())
      // At once, so that what was answered cannot be heard after all.
      connection.destroy()
    }
  }
}

/** The answer to half a request: of its origin, which a browser would have to be told, mostly nothing is known. */
function rawBusyResponse(): string {
  const requestId = randomUUID()
  const body = errorBody(503, requestId)
  return [
    'HTTP/1.1 503 Service Unavailable',
    'connection: close',
    'content-type: application/json',
    'x-content-type-options: nosniff',
    `content-length: ${Buffer.byteLength(body)}`,
    `retry-after: ${Math.ceil(BUSY_AFTER_MS / 1_000)}`,
    `x-request-id: ${requestId}`,
    '',
    body,
  ].join('\r\n')
}
