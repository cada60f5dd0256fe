import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import { getTRPCErrorShape, TRPCError, transformTRPCResponse } from '@trpc/server'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { REFUSALS, serviceBusy } from '../refusals.ts'
import { refusalShape } from '../rpc/errors.ts'
import { trpcConfig } from '../rpc/init.ts'
import { logCompleted } from './logging.ts'

export const BODY_BYTES_MAX = 256 * 1_024

const CODES: Record<number, TRPCError['code']> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  408: 'TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'BAD_REQUEST',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
}

const MESSAGES: Record<number, string> = {
  400: 'The request is malformed.',
  404: 'No route matches this URL.',
  408: 'The request did not arrive in time.',
  413: 'The request is too large.',
  414: 'The URL is too long.',
  415: 'The content type must be application/json.',
  431: 'The URL and the headers are too large.',
}

/** A request that cannot be read. Its message is sent to the client. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly statusCode: number

  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/** Answers a request that failed before it reached a procedure. A server error is logged, and its details are not sent. */
export function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode && error.statusCode >= 400 ? error.statusCode : 500
  if (status >= 500 && status !== 503) request.log.error({ err: error }, 'request failed')
  if (status === 503) sendServiceBusy(request, reply)
  else send(status, request, reply, error instanceof RequestError ? error.message : undefined)
}

/** Answers and logs a request that Fastify rejects before the first hook: its URL is malformed or too long. */
export function sendUnroutedError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendError(error, request, reply)
  logCompleted(request, reply)
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  send(404, request, reply)
}

/** Answers with service_busy. Nothing has happened: the client can send the same call again. */
export function sendServiceBusy(request: FastifyRequest, reply: FastifyReply): void {
  const { headers, body } = serviceBusyResponse(request.id)
  request.callLog?.recordRefusal(serviceBusy())
  if (hasUnreadBody(request.raw)) reply.header('connection', 'close')
  reply.code(503).headers(headers).send(body)
}

function send(status: number, request: FastifyRequest, reply: FastifyReply, message?: string): void {
  if (hasUnreadBody(request.raw)) reply.header('connection', 'close')
  reply
    .code(status)
    .header('x-request-id', request.id)
    .type('application/json')
    .send(errorBody(status, request.id, message))
}

/** Returns the body of an error response, in tRPC's shape, for a request that did not reach a procedure. */
function errorBody(status: number, requestId: string, message = MESSAGES[status]): string {
  const code = CODES[status] ?? (status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR')
  const shape = shapeOf(code, message ?? 'The request could not be answered.')
  const error = { ...shape, data: { ...shape.data, httpStatus: status, requestId } }
  return JSON.stringify(transformTRPCResponse(trpcConfig, { error }))
}

/** Returns the text of an HTTP response to a request that Fastify does not see. The connection must be closed after it. */
export function rawResponse(status: number, headers: OutgoingHttpHeaders, body: string): string {
  const all = {
    connection: 'close',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
}

/** Like `rawResponse`, for an error with this status. */
export function rawErrorResponse(status: number, requestId: string, headers: OutgoingHttpHeaders): string {
  const own = { 'content-type': 'application/json', 'x-request-id': requestId }
  return rawResponse(status, { ...headers, ...own }, errorBody(status, requestId))
}

function serviceBusyBody(requestId: string): string {
  const { message, refusal } = serviceBusy()
  const error = refusalShape(shapeOf(REFUSALS.service_busy.status, message), { requestId }, refusal)
  return JSON.stringify(transformTRPCResponse(trpcConfig, { error }))
}

function shapeOf(code: TRPCError['code'], message: string) {
  const error = new TRPCError({ code, message })
  return getTRPCErrorShape({
    config: trpcConfig,
    error,
    type: 'unknown',
    path: undefined,
    input: undefined,
    ctx: undefined,
  })
}

const ID_PLACEHOLDER = 'the request id'
/** The body of every service_busy response, split where its request id goes, so that refusing a request costs little. */
const SERVICE_BUSY_BODY = serviceBusyBody(ID_PLACEHOLDER).split(ID_PLACEHOLDER)
const RETRY_AFTER_SECONDS = String(Math.ceil(serviceBusy().refusal.afterMs / 1_000))

/**
 * The HTTP response for a request that is refused with service_busy before it reaches a procedure, with status 503. Every
 * way of sending it starts from these headers and this body.
 */
export function serviceBusyResponse(requestId: string): { headers: Record<string, string>; body: string } {
  return {
    headers: {
      'content-type': 'application/json',
      'retry-after': RETRY_AFTER_SECONDS,
      'x-request-id': requestId,
    },
    body: SERVICE_BUSY_BODY.join(requestId),
  }
}

/**
 * Whether the client is still sending a body that is too large to read. The connection of such a request is closed, because
 * discarding the rest would take time and bandwidth.
 */
export function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  const { 'transfer-encoding': encoding, 'content-length': length } = headers
  return !complete && (encoding !== undefined || Number(length) > BODY_BYTES_MAX)
}
