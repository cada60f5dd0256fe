import { type AnyTRPCRouter, TRPCError } from '@trpc/server'
import { type FastifyHandlerOptions, fastifyRequestHandler } from '@trpc/server/adapters/fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { runCall } from '../../redis/call-wait.ts'
import { Refusal } from '../../refusals.ts'
import { rememberRequestId } from '../../rpc/errors.ts'
import type { LoadShedding } from '../load-shedding.ts'
import { checkBodyHeaders, decodeBody } from '../request-text.ts'
import type { CreateContext } from './create-context.ts'
import { parseCall, proceduresOf, sendCallResult } from './fast-path.ts'
import { parseStreamCall, sendEventStream } from './sse.ts'
import { SseHeartbeat } from './sse-heartbeat.ts'

/** The number of calls in a batch. Bounded, because the server's limits on requests count a batch as one request. */
export const BATCH_MAX = 20

/** All methods for which tRPC returns an error of its own. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

type CallRoute = { Params: { path: string } }

interface TrpcOptions {
  router: AnyTRPCRouter
  shedding: LoadShedding
  createContext: CreateContext
}

/** Serves a router under `/trpc`. A body must be JSON in UTF-8: any other content type is answered with 415. */
export function mountTrpc(app: FastifyInstance, { router, shedding, createContext }: TrpcOptions): void {
  const procedures = proceduresOf(router)
  const adapter = adapterOptions(router, createContext)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    decodeBody(body),
  )
  const heartbeat = new SseHeartbeat()
  const maxBodySize = app.initialConfig.bodyLimit ?? 0
  const handle = (req: FastifyRequest<CallRoute>, res: FastifyReply) => {
    const { path } = req.params
    const handlers = () => ({
      context: createContext(req, res),
      onError: (error: TRPCError) => recordFailure(req, error, path),
      headersFor: responseHeaders,
    })
    const stream = parseStreamCall(procedures, req, path)
    if (stream) return sendEventStream(stream, res, { ...handlers(), heartbeat, shedding })
    const call = parseCall(procedures, req, path)
    const calls = call ? 1 : Math.min(path.split(',').length, BATCH_MAX)
    return shedding.run(calls, res, async (release) => {
      if (call) return sendCallResult(call, res, handlers())
      // The adapter asks for headers when the calls are done or the response starts to stream.
      const responseMeta: typeof adapter.responseMeta = (meta) => {
        release()
        return adapter.responseMeta(meta)
      }
      return fastifyRequestHandler({ ...adapter, responseMeta, req, res, path, maxBodySize })
    })
  }
  const onRequest = async (request: FastifyRequest) => checkBodyHeaders(request)
  const handler: typeof handle = (req, res) => runCall(() => handle(req, res))
  app.route<CallRoute>({ method: METHODS, url: '/trpc/:path', onRequest, handler })
}

const adapterOptions = (router: AnyTRPCRouter, createContext: CreateContext) =>
  ({
    router,
    maxBatchSize: BATCH_MAX,
    createContext({ req, res, info }) {
      if (info.calls.length > 1 && info.type === 'mutation' && 'idempotency-key' in req.headers) throw keyForBatch()
      return createContext(req, res)
    },
    onError({ error, path, ctx, req }) {
      if (!ctx) rememberRequestId(error, req.id)
      recordFailure(req, error, path)
    },
    responseMeta: ({ errors, eagerGeneration }) => ({
      // tRPC sets no content type when a request fails before its context is created.
      headers: { ...responseHeaders(errors), ...(!eagerGeneration && { 'content-type': 'application/json' }) },
    }),
  }) satisfies Partial<FastifyHandlerOptions<AnyTRPCRouter, FastifyRequest, FastifyReply>>

function keyForBatch(): TRPCError {
  const message =
    'The header Idempotency-Key cannot apply to a batch of several calls. Send each key as idempotencyKey in the input of its call.'
  return new TRPCError({ code: 'BAD_REQUEST', message })
}

/** Logs an internal error. A refusal is recorded for the log line and the metric of the request. */
function recordFailure(request: FastifyRequest, error: TRPCError, path: string | undefined): void {
  request.callLog?.recordFailure(error)
  if (error.code === 'INTERNAL_SERVER_ERROR') request.log.error({ err: error.cause ?? error, path }, 'call failed')
}

function responseHeaders(errors: readonly { cause?: unknown }[]): Record<string, string> {
  const delays = errors.flatMap(({ cause }) =>
    cause instanceof Refusal && 'afterMs' in cause.refusal ? [cause.refusal.afterMs] : [],
  )
  return {
    // tRPC overwrites the Vary header of the server, and a shared cache needs all three.
    vary: 'trpc-accept, accept, Origin',
    ...(delays.length > 0 && { 'retry-after': String(Math.ceil(Math.max(...delays) / 1_000)) }),
  }
}
