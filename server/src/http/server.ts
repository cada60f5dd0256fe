import { createServer, type RequestListener, type Server } from 'node:http'
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

/** Creates an HTTP server that limits its connections, and passes requests to `handle` unless they are shed. */
export function createLimitedServer(handle: RequestListener, limits: ConnectionLimits, shedding: LoadShedding): Server {
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
