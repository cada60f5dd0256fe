import { errorMessage, withoutStatement } from '@pointwise/db'
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type DestinationStream, type Logger, pino } from 'pino'

/** Creates a logger that writes no token, idempotency key, input or value of an SQL statement. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    { level, redact: ['req.headers', '*.authorization', '*.token', '*.idempotencyKey'], serializers },
    destination,
  )
}

const serializers = {
  // The query string is left out, because it contains the inputs of queries.
  req: ({ method, url, ip }: FastifyRequest) => ({ method, path: url.split('?', 1)[0], address: ip }),
  err: serializeError,
}

interface SerializedError {
  type: string
  message: string
  stack?: string | undefined
  errno?: unknown
  cause?: SerializedError
}

/**
 * Leaves out the properties in which the database driver stores the statement and its values. The database also quotes a
 * value in the message itself, when a key is a duplicate or a value does not fit its column: that value is replaced by `…`. The statement
 * that Vitess appends to the message is left out.
 */
function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const redact = (text: string) =>
    'errno' in error ? withoutStatement(text).replace(/(?<=entry|value:?) '.*'(?= for )/gs, " '…'") : text
  return {
    type: error.name,
    message: redact(errorMessage(error)),
    stack: error.stack && redact(error.stack),
    ...('errno' in error && { errno: error.errno }),
    ...(error.cause !== undefined && { cause: serializeError(error.cause) }),
  }
}

/** Writes one log line for each request, when its response has ended. */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'requestId' })
  }

  override incomingRequest(): void {}

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    if (error) reply.log.error({ ...requestFields(request, reply), err: error }, 'request failed')
    else logCompleted(request, reply)
  }
}

/** Writes the log line of a request whose response Fastify does not log itself. */
export function logCompleted(request: FastifyRequest, reply: FastifyReply): void {
  reply.log.info(requestFields(request, reply), 'request completed')
}

function requestFields(request: FastifyRequest, reply: FastifyReply) {
  // In milliseconds, to the microsecond.
  const responseTime = Math.round(reply.elapsedTime * 1_000) / 1_000
  return { req: request, res: reply, responseTime, ...request.callLog?.toLogFields() }
}
