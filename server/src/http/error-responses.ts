import type { IncomingMessage } from 'node:http'
import { getTRPCErrorShape, TRPCError, transformTRPCResponse } from '@trpc/server'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { BUSY_AFTER_MS, serviceBusy } from '../refusals.ts'
import { refusalShape } from '../rpc/errors.ts'
import { trpcConfig } from '../rpc/init.ts'
import { responseTime } from './logging.ts'

export const BODY_BYTES_MAX = 256 * 1_024

const CODES: Record<number, TRPCError['code']> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  408: 'TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'BAD_REQUEST',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
}

const MESSAGES: Record<number, string> = {
  404: 'There is nothing at this address.',
  413: 'The request is too large.',
  414: 'The address is too long.',
  415: 'The content type must be application/json.',
}

/** Answers, in tRPC's shape, what failed before a procedure was reached; a fault of ours is logged and stays opaque. */
export function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode && error.statusCode >= 400 ? error.statusCode : 500
  if (status >= 500 && status !== 503) request.log.error({ err: error }, 'request failed')
  answer(status, request, reply)
}

/** Answers what Fastify refuses before any hook of ours has run: an address that is malformed or too long. */
export function sendUnroutedError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendError(error, request, reply)
  request.log.info({ req: request, res: reply, responseTime: responseTime(reply) }, 'request completed')
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  answer(404, request, reply)
}

/** The server is about to stop. Nothing happened: the same call succeeds elsewhere. */
export function sendClosing(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close')
  sendBusy(request, reply)
}

/** There is no time for this request. Nothing happened: the same call may succeed later. */
export function sendBusy(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('retry-after', Math.ceil(BUSY_AFTER_MS / 1_000))
  answer(503, request, reply)
}

function answer(status: number, request: FastifyRequest, reply: FastifyReply): void {
  if (hasUnreadBody(request.raw)) reply.header('connection', 'close')
  reply.code(status).header('x-request-id', request.id).type('application/json').send(errorBody(status, request.id))
}

/** An answer in tRPC's shape to a request that reaches no procedure. */
export function errorBody(status: number, requestId: string): string {
  const code = CODES[status] ?? (status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR')
  const error = new TRPCError({ code, message: MESSAGES[status] ?? 'The request could not be answered.' })
  const ctx = { requestId }
  const plain = getTRPCErrorShape({
    config: trpcConfig,
    error,
    type: 'unknown',
    path: undefined,
    input: undefined,
    ctx: undefined,
  })
  const traced = { ...plain, data: { ...plain.data, httpStatus: status, ...ctx } }
  const shape = status === 503 ? refusalShape(traced, ctx, serviceBusy().refusal) : traced
  return JSON.stringify(transformTRPCResponse(trpcConfig, { error: shape }))
}

/** Whether a body too large to read is still coming in: it is cut off, and not thrown away piece by piece. */
export function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  const { 'transfer-encoding': encoding, 'content-length': length } = headers
  return !complete && (encoding !== undefined || Number(length) > BODY_BYTES_MAX)
}
