import { randomUUID } from 'node:crypto'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { UnroutedCors } from './cors.ts'
import { rawResponse, sendServiceBusy, serviceBusyResponse } from './error-responses.ts'
import { isHealthCheck } from './health.ts'

const SWEEP_INTERVAL_MS = 250
/**
 * The number of sweeps, two seconds in all, that a client has to complete a request that it has started to send. Sweeps are
 * counted instead of time, so that a process that was suspended does not cut off clients that had no chance to send.
 */
const SWEEPS_TO_COMPLETE_REQUEST = 8

/**
 * Shuts the server down gracefully when `app.close()` is called: requests in progress finish, new requests on open
 * connections are refused with service_busy, and keep-alive connections are closed as soon as they are idle. After two
 * seconds, incomplete requests are refused with service_busy too, and connections without a request are closed.
 *
 * Returns a function that returns whether the server is closing.
 */
export function drainOnClose(app: FastifyInstance, cors: UnroutedCors): () => boolean {
  const closePendingConnections = trackPendingConnections(app.server, cors)
  let closing = false
  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    closing = true
    let sweeps = 0
    timer = setInterval(() => {
      app.server.closeIdleConnections()
      if (++sweeps >= SWEEPS_TO_COMPLETE_REQUEST) closePendingConnections()
    }, SWEEP_INTERVAL_MS)
  })
  app.addHook('onClose', async () => clearInterval(timer))
  app.addHook('onRequest', (request, reply, done) => {
    if (!closing || isHealthCheck(request.url)) return done()
    reply.header('connection', 'close')
    sendServiceBusy(request, reply)
  })
  return () => closing
}

/**
 * Returns a function that closes the connections on which no complete request has arrived. Node does not count a connection
 * as idle before the head of its first request, and browsers open connections before they need them.
 */
function trackPendingConnections(server: Server, cors: UnroutedCors): () => void {
  const connections = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (_request, response) => {
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
  return () => {
    const complete = [...responses].filter(({ req, headersSent }) => req.complete || headersSent)
    const busy = new Set(complete.map(({ req }) => req.socket))
    for (const connection of connections) {
      if (busy.has(connection)) continue
      if (connection.bytesRead > 0) connection.write(rawBusyResponse(cors))
      // Immediately: a request that was refused must not be completed and executed after all.
      connection.destroy()
    }
  }
}

/** The response to an incomplete request, whose Origin header may not have arrived. */
function rawBusyResponse(cors: UnroutedCors): string {
  const { headers, body } = serviceBusyResponse(randomUUID())
  return rawResponse(503, { ...headers, ...cors.headersForUnknownOrigin() }, body)
}
