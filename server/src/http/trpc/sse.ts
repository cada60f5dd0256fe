import type { ServerResponse } from 'node:http'
import { type AnyTRPCProcedure, getTRPCErrorFromUnknown, getTRPCErrorShape, isTrackedEnvelope } from '@trpc/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { SSE_CLIENT_OPTIONS, trpcConfig } from '../../rpc/init.ts'
import type { EventStream } from '../../subscriptions/hub.ts'
import type { LoadShedding } from '../load-shedding.ts'
import { logCompleted } from '../logging.ts'
import type { CallHandlers, Procedures } from './fast-path.ts'
import { idLine, type SseHeartbeat } from './sse-heartbeat.ts'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  connection: 'keep-alive',
}
const LAST_EVENT_ID_PARAMETERS = ['lastEventId', 'Last-Event-Id'] as const

export interface StreamHandlers extends CallHandlers {
  heartbeat: SseHeartbeat
  shedding: LoadShedding
}

/** A call of a subscription, with its parsed input. */
interface StreamCall {
  path: string
  procedure: AnyTRPCProcedure
  input: unknown
}

/** Parses a request for a subscription. Returns undefined for any other request, which tRPC's adapter answers. */
export function parseStreamCall(procedures: Procedures, request: FastifyRequest, path: string): StreamCall | undefined {
  const { method, headers, query } = request
  const procedure = procedures.get(path)
  if (procedure?._def.type !== 'subscription' || method !== 'GET' || headers['content-type']) return undefined
  const { input: text = '', ...otherParameters } = query as Record<string, unknown>
  const isKnown = (name: string) => LAST_EVENT_ID_PARAMETERS.some((known) => known === name)
  if (typeof text !== 'string' || !Object.keys(otherParameters).every(isKnown)) return undefined
  try {
    const input = text === '' ? undefined : trpcConfig.transformer.input.deserialize(JSON.parse(text))
    const lastEventIds = [headers['last-event-id'], ...LAST_EVENT_ID_PARAMETERS.map((name) => otherParameters[name])]
    return {
      path,
      procedure,
      input: withLastEventId(
        input,
        lastEventIds.find((id) => id != null),
      ),
    }
  } catch {
    return undefined
  }
}

function withLastEventId(input: unknown, lastEventId: unknown): unknown {
  if (!lastEventId) return input
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input, lastEventId }
  return input ?? { lastEventId }
}

/**
 * Executes a subscription and streams its events, in the format of tRPC's adapter but without its chain of web streams. In
 * addition to what the adapter sends, the `connected` event and each ping contain the position at which the client can
 * resume. Events are taken from the subscription only as fast as the client reads.
 *
 * Only opening the stream counts as a call in progress, because an open stream costs almost nothing.
 */
export async function sendEventStream(
  call: StreamCall,
  reply: FastifyReply,
  { context, onError, headersFor, heartbeat, shedding }: StreamHandlers,
): Promise<FastifyReply> {
  const { path, procedure, input } = call
  const { raw: response } = reply
  const type = 'subscription'
  const aborted = new AbortController()
  const { signal } = aborted
  response.once('close', () => aborted.abort())
  const write = async (event: string) => {
    if (signal.aborted) return
    heartbeat.beat(response)
    if (!response.write(event)) await drained(response)
  }
  const begin = async ({ since, position = () => undefined }: Partial<EventStream<unknown>> = {}) => {
    reply.hijack()
    heartbeat.start(response, position)
    whenClosed(response, () => {
      heartbeat.stop(response)
      // Fastify logs a hijacked response only if it was written to its end.
      if (!response.writableFinished) logCompleted(reply.request, reply)
    })
    if (signal.aborted) return
    writeHead(reply, { ...headersFor([]), ...HEADERS })
    await write(`event: connected\ndata: ${JSON.stringify(SSE_CLIENT_OPTIONS)}\n${idLine(since)}\n\n`)
  }
  try {
    const options = { path, getRawInput: async () => input, ctx: context, type, signal, batchIndex: 0 } as const
    const stream = (await shedding.run(1, reply, () => procedure(options))) as EventStream<unknown> | undefined
    // The call was refused and answered, because too many are in progress.
    if (!stream) return reply
    await begin(stream)
    for await (const item of stream) await write(toEvent(item))
    await write('event: return\ndata: \n\n\n')
  } catch (cause) {
    const error = getTRPCErrorFromUnknown(cause)
    onError(error, path)
    if (!reply.sent) await begin()
    const shape = getTRPCErrorShape({ config: trpcConfig, ctx: context, error, input, path, type })
    await write(`event: serialized-error\ndata: ${serialize(shape)}\n\n\n`)
  }
  // Stopped here and not only on close: a pipelined response closes late, and nothing may be written after its end.
  heartbeat.stop(response)
  if (!signal.aborted) response.end()
  return reply
}

/** Writes the head of a hijacked response, with the headers that Fastify has collected. */
function writeHead(reply: FastifyReply, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers })) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  reply.raw.writeHead(200)
}

function whenClosed(response: ServerResponse, callback: () => void): void {
  if (response.closed) callback()
  else response.once('close', callback)
}

function toEvent(item: unknown): string {
  const [id, data] = isTrackedEnvelope(item) ? item : [undefined, item]
  return `data: ${serialize(data)}\n${idLine(id)}\n\n`
}

const serialize = (value: unknown) => JSON.stringify(trpcConfig.transformer.output.serialize(value))

/** Resolves when the client has read what was written, or when the connection is closed. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    if (response.destroyed) done()
    response.once('drain', done)
    response.once('close', done)
  })
}
