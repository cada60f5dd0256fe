import type { Operation, TRPCClientError, TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { attempt, wait } from './attempt.ts'
import { isDecision, retryAfterMs } from './classify-error.ts'
import { keyOf } from './idempotency-link.ts'
import { OutcomeUnknownError } from './outcome-unknown-error.ts'
import { isRepeatable } from './retryable-mutations.ts'

type Next = Parameters<ReturnType<TRPCLink<AppRouter>>>[0]['next']

/** How long a call goes on. */
export interface RetryPolicy {
  triesMax: number
  /** After this long a try counts as lost. */
  tryMs: number
  /** After this long nothing is tried, waited for or begun any more. */
  totalMs: number
  /** The nth repeat comes after a random pause of up to 2ⁿ times this… */
  pauseMs: number
  /** …and of no more than this. */
  pauseMaxMs: number
}

export const RETRY_POLICY: RetryPolicy = {
  triesMax: 4,
  tryMs: 20_000,
  totalMs: 30_000,
  pauseMs: 100,
  pauseMaxMs: 2_000,
}

/**
 * Makes a call again where that helps and cannot do it twice: any call that was refused only for now, and, where it is
 * not known whether it took effect, queries and the mutations of which the server knows a repeat.
 */
export const retryLink =
  (patience: RetryPolicy = RETRY_POLICY): TRPCLink<AppRouter> =>
  () =>
  ({ op, next }) =>
    observable((observer) => {
      const stop = new AbortController()
      const abort = () => stop.abort(op.signal?.reason)
      if (op.signal?.aborted) abort()
      op.signal?.addEventListener('abort', abort)
      callUntilKnown({ ...op, signal: stop.signal }, next, patience).then(
        (answer) => {
          observer.next(answer)
          observer.complete()
        },
        (error) => observer.error(error),
      )
      return () => {
        op.signal?.removeEventListener('abort', abort)
        stop.abort()
      }
    })

async function callUntilKnown(op: Operation & { signal: AbortSignal }, next: Next, patience: RetryPolicy) {
  const { triesMax, tryMs, totalMs } = patience
  const { signal } = op
  const mayRepeat = op.type === 'query' || isRepeatable(op.path, keyOf(op.input))
  const startedAt = performance.now()
  const leftMs = () => startedAt + totalMs - performance.now()
  let everLost = false
  for (let tries = 1; ; tries++) {
    const result = await attempt(next(op), { signal, timeoutMs: Math.min(tryMs, Math.ceil(leftMs())) })
    if ('answer' in result) return result.answer
    const { error, lost } = result
    everLost ||= lost
    const afterMs = lost && mayRepeat ? 0 : retryAfterMs(error)
    const pauseMs = pause(tries, patience) + (afterMs ?? 0)
    const again = afterMs !== undefined && tries < triesMax && pauseMs < leftMs()
    if (!again) throw finalError(op, error, everLost)
    await wait(pauseMs, signal)
  }
}

/** Full jitter: clients that were cut off together do not come back together. */
function pause(tries: number, { pauseMs, pauseMaxMs }: RetryPolicy): number {
  return Math.random() * Math.min(pauseMaxMs, pauseMs * 2 ** tries)
}

/** What the caller is told in the end; a query has no effect that could be unknown. */
function finalError(op: Operation, error: TRPCClientError<AppRouter>, everLost: boolean): TRPCClientError<AppRouter> {
  if (op.type === 'query' || !everLost || isDecision(error)) return error
  return new OutcomeUnknownError(op.path, { idempotencyKey: keyOf(op.input), cause: error })
}
