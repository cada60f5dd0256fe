import type { ServerResponse } from 'node:http'
import { type AnyTRPCProcedure, getTRPCErrorFromUnknown, getTRPCErrorShape, isTrackedEnvelope } from '@trpc/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { SSE_CLIENT_OPTIONS, trpcConfig } from '../../rpc/init.ts'
import type { EventStream } from '../../subscriptions/hub.ts'
import type { LoadShedding } from '../load-shedding.ts'
import type { CallHandlers, Procedures } from './fast-path.ts'
import { idLine, type SseHeartbeat } from './sse-heartbeat.ts'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  connection: 'keep-alive',
}
const LAST_EVENT_ID = ['lastEventId', 'Last-Event-Id'] as const

export interface StreamHandlers extends CallHandlers {
  heartbeat: SseHeartbeat
  overload: LoadShedding
}

/** A call of a subscription, whose input could be read. */
interface StreamCall {
  path: string
  procedure: AnyTRPCProcedure
  input: unknown
}

/** The subscription that a request asks for, when it plainly does; of everything else tRPC's adapter takes care. */
export function parseStreamCall(procedures: Procedures, request: FastifyRequest, path: string): StreamCall | undefined {
  const { method, headers, query } = request
  const procedure = procedures.get(path)
  if (procedure?._def.type !== 'subscription' || method !== 'GET' || headers['content-type']) return undefined
  const { input: text = '', ...others } = query as Record<string, unknown>
  if (typeof text !== 'string' || !Object.keys(others).every((name) => LAST_EVENT_ID.some((known) => known === name))) {
    return undefined
  }
  try {
    const given = text === '' ? undefined : trpcConfig.transformer.input.deserialize(JSON.parse(text))
    const lastEventId = [headers['last-event-id'], ...LAST_EVENT_ID.map((name) => others[name])].find(
      (id) => id != null,
    )
    return { path, procedure, input: resumed(given, lastEventId) }
  } catch {
    return undefined
  }
}

function resumed(input: unknown, lastEventId: unknown): unknown {
  if (!lastEventId) return input
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input, lastEventId }
  return input ?? { lastEventId }
}

/**
 * Answers a subscription in the words of tRPC's adapter, without its chain of web streams; beyond them it tells the place to
 * come back to, before the first change and with each ping. It is read as fast as the client reads. Opening it is a call like
 * others; then it costs next to nothing.
 */
export async function sendEventStream(
  call: StreamCall,
  reply: FastifyReply,
  { context, onError, headersFor, heartbeat, overload }: StreamHandlers,
): Promise<FastifyReply> {
  const { path, procedure, input } = call
  const { raw: response, request } = reply
  const gone = new AbortController()
  const { signal } = gone
  response.once('close', () => gone.abort())
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
      // Of an answer that we write ourselves, Fastify tells the log only where it was written to its end.
      if (response.writableFinished) return
      request.log.info({ req: request, res: reply, responseTime: reply.elapsedTime }, 'request completed')
    })
    if (signal.aborted) return
    const headers = { ...reply.getHeaders(), ...headersFor([]), ...HEADERS }
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
    response.writeHead(200)
    await write(`event: connected\ndata: ${JSON.stringify(SSE_CLIENT_OPTIONS)}\n${idLine(since)}\n\n`)
  }
  const type = 'subscription'
  try {
    const ask = { path, getRawInput: async () => input, ctx: context, type, signal, batchIndex: 0 } as const
    const told = (await overload.run(1, reply, () => procedure(ask))) as EventStream<unknown> | undefined
    if (!told) return reply
    await begin(told)
    for await (const each of told) await write(messageOf(each))
    await write('event: return\ndata: \n\n\n')
  } catch (cause) {
    const error = getTRPCErrorFromUnknown(cause)
    onError(error, path)
    if (!reply.sent) await begin()
    const shape = getTRPCErrorShape({ config: trpcConfig, ctx: context, error, input, path, type })
    await write(`event: serialized-error\ndata: ${serialized(shape)}\n\n\n`)
  }
  // Behind another answer on its connection it is not closed for long, though nothing may be written any more.
  heartbeat.stop(response)
  if (!signal.aborted) response.end()
  return reply
}

function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then()
  else response.once('close', then)
}

function messageOf(told: unknown): string {
  const [id, change] = isTrackedEnvelope(told) ? told : [undefined, told]
  return `data: ${serialized(change)}\n${idLine(id)}\n\n`
}

const serialized = (value: unknown) => JSON.stringify(trpcConfig.transformer.output.serialize(value))

/** Resolves when the client has read what was written, or is gone. */
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
