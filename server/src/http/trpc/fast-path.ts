import {
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  type TRPCError,
  transformTRPCResponse,
} from '@trpc/server'
import { getHTTPStatusCode } from '@trpc/server/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../../rpc/context.ts'
import { trpcConfig } from '../../rpc/init.ts'

/** A single call of a query or a mutation, with its parsed input. */
interface Call {
  path: string
  procedure: AnyTRPCProcedure
  type: 'query' | 'mutation'
  input: unknown
}

export type Procedures = ReadonlyMap<string, AnyTRPCProcedure>

/** Returns the procedures of a router by path, such as `points.charge`. */
export function proceduresOf(router: AnyTRPCRouter): Procedures {
  return new Map(Object.entries(router._def.procedures as Record<string, AnyTRPCProcedure>))
}

const METHODS = { query: 'GET', mutation: 'POST' } as const

/**
 * Parses a request that the fast path can answer: one call of a known procedure, with its method, in JSON, with an input
 * that can be parsed. Returns undefined for any other request (batches, streams, malformed or unusual requests), which
 * tRPC's adapter answers.
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
  const { input: queryInput, ...otherParameters } = query as Record<string, unknown>
  if (Object.keys(otherParameters).length > 0) return undefined
  const isPost = type === 'mutation'
  if (isPost ? headers['content-type'] !== 'application/json' || queryInput !== undefined : headers['content-type'])
    return undefined
  const text = isPost ? body : queryInput
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
  onError: (error: TRPCError, path: string) => void
  headersFor: (errors: readonly { cause?: unknown }[]) => Record<string, string>
}

/**
 * Executes a call and sends its result. The response is the same, byte for byte, as that of tRPC's adapter. The fast path
 * exists because the adapter creates Request and Response objects, which cost more than the call itself (see test/bench).
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

type ResponseBody = Parameters<typeof transformTRPCResponse>[1]

function send(reply: FastifyReply, status: number, body: ResponseBody, headers: Record<string, string>): void {
  reply
    .code(status)
    .headers({ ...headers, 'content-type': 'application/json' })
    // With an explicit serializer Fastify does not add a charset, as the adapter does not, and sends the text in one piece.
    .serializer(JSON.stringify)
    .send(transformTRPCResponse(trpcConfig, body))
}
