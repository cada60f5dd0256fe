import { createServer, type RequestListener, type Server } from 'node:http'
import type { LoadShedding } from './load-shedding.ts'

export interface ConnectionLimits {
  /** How long a client may take to send a request. */
  requestTimeoutMs: number
  /** How long a connection may be idle between two requests. */
  keepAliveTimeoutMs: number
  /** How long a connection may neither send nor take a byte. */
  idleTimeoutMs: number
  connectionsMax: number
}

/** An HTTP server whose connections are bounded in number and time, and which asks `overload` before `handle`. */
export function boundedServer(handle: RequestListener, limits: ConnectionLimits, overload: LoadShedding): Server {
  const { requestTimeoutMs, keepAliveTimeoutMs, idleTimeoutMs, connectionsMax } = limits
  const server = createServer(
    {
      // Given here and not set later, or Node keeps its minute for the headers, and exchanges it with a shorter time.
      requestTimeout: requestTimeoutMs,
      // It looks for overdue requests every thirty seconds if it is not told.
      connectionsCheckingInterval: Math.min(requestTimeoutMs / 5, 1_000),
      keepAliveTimeout: keepAliveTimeoutMs,
    },
    (request, response) => {
      if (!overload.shedIfOverloaded(request, response)) handle(request, response)
    },
  )
  server.maxConnections = connectionsMax
  server.setTimeout(idleTimeoutMs)
  return server
}
