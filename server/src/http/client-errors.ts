import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { UnroutedCors } from './cors.ts'
import { rawErrorResponse } from './error-responses.ts'

/** How long a client that is still sending has to read the response before its connection is destroyed. */
const LINGER_MS = 1_000

const STATUSES: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
}

interface ClientError extends NodeJS.ErrnoException {
  /** The bytes that the parser rejected, with those before them that arrived at the same time. */
  rawPacket?: Buffer
}

/**
 * Answers requests that Node rejects before they reach Fastify: malformed, too slow, or with headers that are too large. A
 * response that a connection is still waiting for is never preceded by such an answer, because the client would take the one
 * for the other.
 */
export function answerClientErrors(
  server: Server,
  { cors, log }: { cors: UnroutedCors; log: FastifyBaseLogger },
): void {
  const latest = new WeakMap<Socket, ServerResponse>()
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latest.set(socket, response)
  })
  server.on('clientError', (error: ClientError, socket) => {
    if (!(socket instanceof Socket) || socket.destroyed || socket.writableEnded) return
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(latest.get(socket))) {
      socket.destroy()
      return
    }
    const status = STATUSES[error.code ?? ''] ?? 400
    const requestId = randomUUID()
    log.info({ requestId, res: { statusCode: status }, code: error.code }, 'request rejected')
    const origin = originIn(error.rawPacket)
    const headers = origin === undefined ? cors.headersForUnknownOrigin() : cors.headersFor(origin)
    socket.end(rawErrorResponse(status, requestId, headers))
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  })
}

/** Whether a complete request is being answered, so that the rejected bytes belong to a later one. */
function isAnswering(response: ServerResponse | undefined): boolean {
  return response !== undefined && !response.writableFinished && (response.req.complete || response.headersSent)
}

function originIn(bytes: Buffer | undefined): string | undefined {
  return /^origin:[ \t]*(\S+)[ \t]*\r?$/im.exec(bytes?.toString('latin1') ?? '')?.[1]
}
