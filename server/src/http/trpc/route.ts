import type { AnyTRPCRouter, TRPCError } from '@trpc/server'
import { type FastifyHandlerOptions, fastifyRequestHandler } from '@trpc/server/adapters/fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../refusals.ts'
import type { Context } from '../../rpc/context.ts'
import { rememberRequestId } from '../../rpc/errors.ts'
import type { LoadShedding } from '../load-shedding.ts'
import { parseCall, proceduresOf, sendCallResult } from './fast-path.ts'
import { parseStreamCall, sendEventStream } from './sse.ts'
import { SseHeartbeat } from './sse-heartbeat.ts'

/** A batch counts as one request to everything in front of tRPC, so its size is bounded. */
export const BATCH_MAX = 20

/** Those of which tRPC can tell why it does not answer them. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

type CallRoute = { Params: { path: string } }

type Errors = readonly { cause?: unknown }[]

type CreateContext = (request: FastifyRequest, reply: FastifyReply) => Context

interface Mounted {
  router: AnyTRPCRouter
  overload: LoadShedding
}

/** Mounts a router under `/trpc`. JSON is the only body there is: anything else is 415. */
export function mountTrpc(app: FastifyInstance, { router, overload }: Mounted, createContext: CreateContext): void {
  const procedures = proceduresOf(router)
  const adapter = adapterOptions(router, createContext)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  const heartbeat = new SseHeartbeat()
  const maxBodySize = app.initialConfig.bodyLimit ?? 0
  const handler = (req: FastifyRequest<CallRoute>, res: FastifyReply) => {
    const { path } = req.params
    const onError = (error: TRPCError) => logFault(req, error, path)
    const stream = parseStreamCall(procedures, req, path)
    if (stream) {
      return sendEventStream(stream, res, {
        context: createContext(req, res),
        onError,
        headersFor: responseHeaders,
        heartbeat,
        overload,
      })
    }
    const call = parseCall(procedures, req, path)
    const calls = call ? 1 : Math.min(path.split(',').length, BATCH_MAX)
    return overload.run(calls, res, async (done) => {
      if (!call) {
        // It is asked for the headers when there is an answer, or a stream begins, of which nobody knows how slowly it is read.
        const responseMeta: typeof adapter.responseMeta = (meta) => {
          done()
          return adapter.responseMeta(meta)
        }
        return fastifyRequestHandler({ ...adapter, responseMeta, req, res, path, maxBodySize })
      }
      return sendCallResult(call, res, { context: createContext(req, res), onError, headersFor: responseHeaders })
    })
  }
  app.route<CallRoute>({ method: METHODS, url: '/trpc/:path', handler })
}

const adapterOptions = (router: AnyTRPCRouter, createContext: CreateContext) =>
  ({
    router,
    maxBatchSize: BATCH_MAX,
    createContext: ({ req, res }) => createContext(req, res),
    onError({ error, path, ctx, req }) {
      if (!ctx) rememberRequestId(error, req.id)
      logFault(req, error, path)
    },
    responseMeta: ({ errors, eagerGeneration }) => ({
      // What fails before it has a context gets no content type from tRPC.
      headers: { ...responseHeaders(errors), ...(!eagerGeneration && { 'content-type': 'application/json' }) },
    }),
  }) satisfies Partial<FastifyHandlerOptions<AnyTRPCRouter, FastifyRequest, FastifyReply>>

function logFault(request: FastifyRequest, error: TRPCError, path: string | undefined): void {
  if (error.code !== 'INTERNAL_SERVER_ERROR') return
  request.log.error({ err: error.cause ?? error, path }, 'call failed')
}

function responseHeaders(errors: Errors): Record<string, string> {
  const waits = errors.flatMap(({ cause }) =>
    cause instanceof Refusal && 'afterMs' in cause.refusal ? [cause.refusal.afterMs] : [],
  )
  return {
    // tRPC's own Vary replaces the one of @fastify/cors, and a cache in front of us needs all three.
    vary: 'trpc-accept, accept, Origin',
    ...(waits.length > 0 && { 'retry-after': String(Math.ceil(Math.max(...waits) / 1_000)) }),
  }
}
