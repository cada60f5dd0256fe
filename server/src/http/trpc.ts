import { fastifyRequestHandler } from '@trpc/server/adapters/fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { Refusal } from '../refusals.ts'
import { appRouter } from '../router.ts'
import { trace } from '../trpc.ts'

/** A batch counts as one request to everything in front of tRPC, so its size is bounded. */
export const BATCH_MAX = 20

type Errors = readonly { cause?: unknown }[]

/** Mounts the router under `/trpc`. JSON is the only body there is: anything else is 415. */
export function mountTrpc(app: FastifyInstance, createContext: (request: FastifyRequest) => Context): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.all<{ Params: { path: string } }>('/trpc/:path', (req, res) =>
    fastifyRequestHandler({
      router: appRouter,
      req,
      res,
      path: req.params.path,
      maxBatchSize: BATCH_MAX,
      maxBodySize: app.initialConfig.bodyLimit ?? 0,
      createContext: ({ req }) => createContext(req),
      onError({ error, path, ctx, req }) {
        if (!ctx) trace(error, req.id)
        if (error.code === 'INTERNAL_SERVER_ERROR') req.log.error({ err: error.cause ?? error, path }, 'call failed')
      },
      responseMeta: ({ errors, eagerGeneration }) => ({
        // What fails before it has a context gets no content type from tRPC.
        headers: { ...responseHeaders(errors), ...(!eagerGeneration && { 'content-type': 'application/json' }) },
      }),
    }),
  )
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
