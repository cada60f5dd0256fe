import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type DestinationStream, type Logger, pino } from 'pino'

/** A logger that tells no token, no input and no SQL value. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    { level, redact: ['req.headers', '*.authorization', '*.token', '*.idempotencyKey'], serializers },
    destination,
  )
}

const serializers = {
  // The query string holds inputs.
  req: ({ method, url, ip }: FastifyRequest) => ({ method, path: url.split('?', 1)[0], address: ip }),
  err: errorForLog,
}

interface LoggedError {
  type: string
  message: string
  stack?: string | undefined
  errno?: unknown
  cause?: LoggedError
}

/**
 * The driver puts the statement with its values into its errors: those properties are left out. The database quotes a
 * value in the message itself when a key is a duplicate or a value does not fit its column.
 */
function errorForLog(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const told = (text: string) => ('errno' in error ? text.replace(/(?<=entry|value:?) '.*'(?= for )/gs, " '…'") : text)
  return {
    type: error.name,
    message: told(error.message),
    stack: error.stack && told(error.stack),
    ...('errno' in error && { errno: error.errno }),
    ...(error.cause !== undefined && { cause: errorForLog(error.cause) }),
  }
}

/** One line a request, when it is answered. */
export class RequestLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    const line = { req: request, res: reply, responseTime: responseTime(reply), ...request.attempts?.toLogFields }
    if (error) reply.log.error({ ...line, err: error }, 'request failed')
    else reply.log.info(line, 'request completed')
  }
}

/** In milliseconds, to the microsecond. */
export function responseTime({ elapsedTime }: FastifyReply): number {
  return Math.round(elapsedTime * 1_000) / 1_000
}
