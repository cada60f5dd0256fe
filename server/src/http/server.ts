import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createListener } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { LoadShedding } from './load-shedding.ts'

export interface ConnectionLimits {
  /** How long a client can take to send a request. */
  requestTimeoutMs: number
  /** How long a connection can be idle between two requests. */
  keepAliveTimeoutMs: number
  /** How long a connection can be open without sending or receiving a byte. */
  idleTimeoutMs: number
  connectionsMax: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 72_000,
  idleTimeoutMs: 300_000,
  connectionsMax: 10_000,
}

interface ServerOptions {
  limits: ConnectionLimits
  shedding: LoadShedding
}

/**
 * Creates an HTTP server that limits its connections, and passes requests to `handle` unless they are shed.
 */
export function createLimitedServer(handle: RequestListener, { limits, shedding }: ServerOptions): Server {
  const { requestTimeoutMs, keepAliveTimeoutMs, idleTimeoutMs, connectionsMax } = limits
  const server = createServer(
    {
      // As an option: a value that is assigned later leaves Node's timeout for the headers at its default of one minute.
      requestTimeout: requestTimeoutMs,
      // The default is 30 seconds, which would add to the timeout.
      connectionsCheckingInterval: Math.min(requestTimeoutMs / 5, 1_000),
      keepAliveTimeout: keepAliveTimeoutMs,
    },
    (request, response) => {
      if (!shedding.shedIfOverloaded(request, response)) handle(request, response)
    },
  )
  server.maxConnections = connectionsMax
  server.setTimeout(idleTimeoutMs)
  return server
}

/**
 * Listens on `host` and `port`. `localhost` means both 127.0.0.1 and ::1, because clients differ in which of the two they try.
 * Call it before the server is ready.
 */
export async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<void> {
  if (host !== 'localhost') return void (await app.listen({ host, port }))
  // A listener without an HTTP server of its own: its connections are connections of the one server, with the same limits
  // and options.
  const listener = createListener({ allowHalfOpen: true, noDelay: true }, (socket) =>
    app.server.emit('connection', socket),
  )
  app.addHook('preClose', async () => void listener.close())
  await app.listen({ host: '127.0.0.1', port })
  const address = app.server.address()
  if (typeof address !== 'object' || address === null) return
  listener.maxConnections = app.server.maxConnections
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => {
      // The machine has no IPv6.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve()
      else reject(error)
    })
    listener.listen({ host: '::1', port: address.port }, resolve)
  })
}
