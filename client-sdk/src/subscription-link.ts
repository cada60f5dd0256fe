import { type Operation, type OperationResultObserver, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import superjson, { type SuperJSONResult } from 'superjson'
import type { AppRouter } from './app-router.ts'
import { wait } from './attempt.ts'
import { readEvents } from './event-stream.ts'
import { type ReconnectState, reconnectDelayMs } from './reconnect-policy.ts'
import { ConnectionError, readResponse } from './response.ts'

export interface ConnectionOptions {
  /** Where the procedures are. */
  url: string
  /** Asked for every connection, so that each has a token that is still good. */
  headers: () => Promise<Headers>
  fetch: typeof globalThis.fetch
}

type Failure = TRPCClientError<AppRouter>
type Observer = OperationResultObserver<AppRouter, unknown>

/** Until the server has said how long it may be silent. */
const SILENT_MS = 20_000
/** Who is refused is told that at once. */
const FOLLOWED_AFTER_MS = 1_000

/**
 * Follows a subscription over server-sent events, for as long as somebody reads. When a connection is lost, or the server
 * sends the client elsewhere, it goes on with a fresh token, behind the last event it had, or the place that the server has
 * named since. It reads with `fetch`: an EventSource could send a token in its URL alone. What whoever reads throws ends it.
 */
export const subscriptionLink =
  (connecting: ConnectionOptions): TRPCLink<AppRouter> =>
  () =>
  ({ op }) =>
    observable((observer) => {
      const stop = new AbortController()
      const abort = () => stop.abort()
      if (op.signal?.aborted) abort()
      op.signal?.addEventListener('abort', abort)
      follow(op, connecting, observer, stop.signal).then(
        () => {
          observer.next({ result: { type: 'stopped' } })
          observer.next({ result: { type: 'state', state: 'idle', error: null } })
          observer.complete()
        },
        (error) => observer.error(TRPCClientError.from(error)),
      )
      return () => {
        op.signal?.removeEventListener('abort', abort)
        abort()
      }
    })

/** Resolves when the server has told all, or nobody reads any more. */
async function follow(
  op: Operation,
  connecting: ConnectionOptions,
  observer: Observer,
  signal: AbortSignal,
): Promise<void> {
  const standing: ReconnectState = { since: performance.now(), started: false, failures: 0 }
  let { input } = op
  let isUnderstood = true
  const tell: Observer['next'] = (value) => {
    isUnderstood = false
    observer.next(value)
    isUnderstood = true
  }
  tell({ result: { type: 'state', state: 'connecting', error: null } })
  while (!signal.aborted) {
    const connection = new AbortController()
    const hangUp = () => connection.abort()
    signal.addEventListener('abort', hangUp)
    let connectedAt = Number.POSITIVE_INFINITY
    try {
      let silentMs = SILENT_MS
      const timer = setTimeout(hangUp, silentMs)
      const body = await connect({ ...op, input }, connecting, connection.signal).finally(() => clearTimeout(timer))
      for await (const { event, data, id } of readEvents(body, () => silentMs)) {
        if (signal.aborted || event === 'return') return
        if (event === 'serialized-error') throw errorOf(JSON.parse(data))
        if (event === 'connected') {
          connectedAt = performance.now()
          silentMs = JSON.parse(data).reconnectAfterInactivityMs ?? SILENT_MS
          tell({ result: { type: 'started' } })
          tell({ result: { type: 'state', state: 'pending', error: null } })
        } else if (event === 'message') {
          isFollowed(standing)
          const told = superjson.deserialize(JSON.parse(data))
          if (id === undefined) tell({ result: { data: told } })
          else tell({ result: { id, data: { id, data: told } } })
        }
        if (id !== undefined) input = { ...(input ?? {}), lastEventId: id }
      }
      throw new ConnectionError('The connection was lost.')
    } catch (cause) {
      if (signal.aborted) return
      if (!isUnderstood) throw cause
      if (performance.now() - connectedAt > FOLLOWED_AFTER_MS) isFollowed(standing)
      const error: Failure = TRPCClientError.from(cause as object)
      const pauseMs = reconnectDelayMs(error, standing)
      if (pauseMs === undefined) throw error
      tell({ result: { type: 'state', state: 'connecting', error } })
      await wait(pauseMs, signal)
    } finally {
      signal.removeEventListener('abort', hangUp)
      hangUp()
    }
  }
}

function isFollowed(standing: ReconnectState): void {
  standing.started = true
  standing.failures = 0
}

/** Asks for the events; @throws what the server says instead, or ConnectionError */
async function connect(
  { path, input }: Operation,
  { url, headers, fetch }: ConnectionOptions,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`
  const asked = await headers()
  asked.set('accept', 'text/event-stream')
  const response = await fetch(`${url}/${path}${query}`, { headers: asked, signal }).catch((cause: unknown) => {
    throw new ConnectionError('The connection was lost.', { cause })
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (response.ok && isStream && response.body) return response.body
  const { error } = (await readResponse(response)) as { error?: SuperJSONResult }
  throw error ? errorOf(error) : new ConnectionError('The answer is no stream of events.', { mayHaveArrived: false })
}

function errorOf(shape: SuperJSONResult): Failure {
  return TRPCClientError.from({ error: superjson.deserialize(shape) })
}
