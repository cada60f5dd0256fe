import { type Operation, type OperationResultObserver, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import superjson, { type SuperJSONResult } from 'superjson'
import type { AppRouter } from './app-router.ts'
import { wait } from './attempt.ts'
import { readEvents } from './event-stream.ts'
import { type ReconnectState, reconnectDelayMs } from './reconnect-policy.ts'
import { ConnectionError, failedRequest, readResponse } from './response.ts'

export interface ConnectionOptions {
  /** The URL under which the procedures are. */
  url: string
  /** Called for each connection, so that each has a token that is still valid. */
  headers: (signal: AbortSignal) => Promise<Headers>
  fetch: typeof globalThis.fetch
}

type ClientError = TRPCClientError<AppRouter>
type Observer = OperationResultObserver<AppRouter, unknown>

/** How long the server may be silent, until it sends a limit of its own. */
const DEFAULT_SILENCE_MAX_MS = 20_000
/** The server reports a refusal at once. A connection that lasted longer than this was accepted. */
const ACCEPTED_AFTER_MS = 1_000

/**
 * Runs a subscription over server-sent events until it is unsubscribed. When a connection is lost, or the server asks the
 * client to reconnect, the link reconnects with a new token and resumes after the last id that the server sent. It reads with
 * `fetch`, because an EventSource can send a token in its URL only. An error that a callback throws ends the subscription.
 */
export const subscriptionLink =
  (options: ConnectionOptions): TRPCLink<AppRouter> =>
  () =>
  ({ op }) =>
    observable((observer) => {
      const controller = new AbortController()
      const abort = () => controller.abort()
      if (op.signal?.aborted) abort()
      op.signal?.addEventListener('abort', abort)
      runSubscription(op, options, observer, controller.signal).then(
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

/** Resolves when the server ends the subscription, or `signal` is aborted. */
async function runSubscription(
  op: Operation,
  options: ConnectionOptions,
  observer: Observer,
  signal: AbortSignal,
): Promise<void> {
  const state: ReconnectState = { startedAt: performance.now(), wasEstablished: false, failures: 0 }
  let { input } = op
  let isInCallback = false
  const emit: Observer['next'] = (value) => {
    isInCallback = true
    observer.next(value)
    isInCallback = false
  }
  emit({ result: { type: 'state', state: 'connecting', error: null } })
  while (!signal.aborted) {
    const connection = new AbortController()
    const disconnect = () => connection.abort()
    signal.addEventListener('abort', disconnect)
    let connectedAt = Number.POSITIVE_INFINITY
    try {
      let silenceMaxMs = DEFAULT_SILENCE_MAX_MS
      const body = await connect({ ...op, input }, options, connection)
      for await (const { event, data, id } of readEvents(body, () => silenceMaxMs)) {
        if (signal.aborted || event === 'return') return
        if (event === 'serialized-error') throw clientErrorOf(JSON.parse(data))
        if (event === 'connected') {
          connectedAt = performance.now()
          silenceMaxMs = JSON.parse(data).reconnectAfterInactivityMs ?? DEFAULT_SILENCE_MAX_MS
          emit({ result: { type: 'started' } })
          emit({ result: { type: 'state', state: 'pending', error: null } })
        } else if (event === 'message') {
          markEstablished(state)
          const message = superjson.deserialize(JSON.parse(data))
          if (id === undefined) emit({ result: { data: message } })
          else emit({ result: { id, data: { id, data: message } } })
        }
        if (id !== undefined) input = { ...(input ?? {}), lastEventId: id }
      }
      throw new ConnectionError('The server closed the event stream.')
    } catch (cause) {
      if (signal.aborted) return
      // Still set if a callback threw.
      if (isInCallback) throw cause
      if (performance.now() - connectedAt > ACCEPTED_AFTER_MS) markEstablished(state)
      const error: ClientError = TRPCClientError.from(cause as object)
      const delayMs = reconnectDelayMs(error, state)
      if (delayMs === undefined) throw error
      emit({ result: { type: 'state', state: 'connecting', error } })
      await wait(delayMs, signal)
    } finally {
      signal.removeEventListener('abort', disconnect)
      disconnect()
    }
  }
}

function markEstablished(state: ReconnectState): void {
  state.wasEstablished = true
  state.failures = 0
}

/**
 * Requests the events of a subscription.
 *
 * @throws TRPCClientError with the server's error if the server rejects the subscription
 * @throws ConnectionError if no response of the server can be read
 */
async function connect(
  { path, input }: Operation,
  { url, headers: getHeaders, fetch }: ConnectionOptions,
  connection: AbortController,
): Promise<ReadableStream<Uint8Array>> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`
  const { signal } = connection
  const headers = await getHeaders(signal)
  headers.set('accept', 'text/event-stream')
  const timer = setTimeout(() => connection.abort(), DEFAULT_SILENCE_MAX_MS)
  const response = await fetch(`${url}/${path}${query}`, { headers, signal })
    .catch((cause: unknown) => {
      throw failedRequest(cause)
    })
    .finally(() => clearTimeout(timer))
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (response.ok && isStream && response.body) return response.body
  const { error } = (await readResponse(response)) as { error?: SuperJSONResult }
  if (error) throw clientErrorOf(error)
  throw new ConnectionError(
    'The response is not an event stream. Check the client\'s "url", and whether a proxy in between changes the response.',
    { mayHaveArrived: false },
  )
}

function clientErrorOf(shape: SuperJSONResult): ClientError {
  return TRPCClientError.from({ error: superjson.deserialize(shape) })
}
