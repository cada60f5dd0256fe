import {
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  transformTRPCResponse,
} from '@trpc/server'
import { getHTTPStatusCode } from '@trpc/server/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../../rpc/context.ts'
import { trpcConfig } from '../../rpc/init.ts'

/** A single call, whose input could be read. */
interface Call {
  path: string
  procedure: AnyTRPCProcedure
  type: 'query' | 'mutation'
  input: unknown
}

export type Procedures = ReadonlyMap<string, AnyTRPCProcedure>

/** The procedures of a router, by their paths. */
export function proceduresOf(router: AnyTRPCRouter): Procedures {
  return new Map(Object.entries(router._def.procedures as Record<string, AnyTRPCProcedure>))
}

const METHODS = { query: 'GET', mutation: 'POST' } as const
/**
 * The call that a request is, when it is plainly one: a known procedure, its own method, JSON, and an input that can be
 * read. Of everything else (batches, streams, broken or unusual requests) it is undefined, and tRPC's adapter answers.
 */
export function parseCall(
  procedures: Procedures,
  { method, headers, query, body }: FastifyRequest,
  path: string,
): Call | undefined {
  const procedure = procedures.get(path)
  const type = procedure?._def.type
  if (!procedure || (type !== 'query' && type !== 'mutation') || method !== METHODS[type]) return undefined
  if (headers['trpc-accept'] !== undefined || headers.accept?.includes('jsonl')) return undefined
  const { input: asked, ...others } = query as Record<string, unknown>
  if (Object.keys(others).length > 0) return undefined
  const isPost = type === 'mutation'
  if (isPost ? headers['content-type'] !== 'application/json' || asked !== undefined : headers['content-type'])
    return undefined
  const text = isPost ? body : asked
  if (text === undefined || text === '') return { path, procedure, type, input: undefined }
  if (typeof text !== 'string') return undefined
  try {
    return { path, procedure, type, input: trpcConfig.transformer.input.deserialize(JSON.parse(text)) }
  } catch {
    return undefined
  }
}

export interface CallHandlers {
  context: Context
  onError: (error: ReturnType<typeof getTRPCErrorFromUnknown>, path: string) => void
  headersFor: (errors: readonly { cause?: unknown }[]) => Record<string, string>
}

/**
 * Answers a plain call, byte for byte as tRPC's adapter would, without the Request and Response objects that cost more than
 * the call: see test/bench.
 */
export async function sendCallResult(call: Call, reply: FastifyReply, { context, onError, headersFor }: CallHandlers) {
  const { path, procedure, type, input } = call
  try {
    const data = await procedure({
      path,
      getRawInput: async () => input,
      ctx: context,
      type,
      signal: undefined,
      batchIndex: 0,
    })
    send(reply, 200, { result: { data } }, headersFor([]))
  } catch (cause) {
    const error = getTRPCErrorFromUnknown(cause)
    onError(error, path)
    const shape = getTRPCErrorShape({ config: trpcConfig, ctx: context, error, input, path, type })
    send(reply, getHTTPStatusCode({ error: shape }, [error]), { error: shape }, headersFor([error]))
  }
  return reply
}

type Answer = Parameters<typeof transformTRPCResponse>[1]

function send(reply: FastifyReply, status: number, answer: Answer, headers: Record<string, string>): void {
  reply
    .code(status)
    .headers({ ...headers, 'content-type': 'application/json' })
    // Under a serializer of our own Fastify adds no charset, as the adapter does not; and text goes out in one piece.
    .serializer(JSON.stringify)
    .send(transformTRPCResponse(trpcConfig, answer))
}
