import type { Operation, TRPCClientError, TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { attempt, wait } from './attempt.ts'
import { isDecision, retryAfterMs } from './classify-error.ts'
import { idempotencyKeyOf } from './idempotency-link.ts'
import { OutcomeUnknownError } from './outcome-unknown-error.ts'
import { isRetryable } from './retryable-mutations.ts'

type Next = Parameters<ReturnType<TRPCLink<AppRouter>>>[0]['next']

/** How often, and for how long, a call is attempted. */
export interface RetryPolicy {
  attemptsMax: number
  /** Time after which an attempt fails. */
  attemptTimeoutMs: number
  /** Time after which no attempt is made or waited for any more. */
  totalTimeoutMs: number
  /** The delay before the nth retry is random, up to `baseDelayMs * 2ⁿ`, but at most `maxDelayMs`. */
  baseDelayMs: number
  maxDelayMs: number
}

export const RETRY_POLICY: RetryPolicy = {
  attemptsMax: 4,
  attemptTimeoutMs: 20_000,
  totalTimeoutMs: 30_000,
  baseDelayMs: 100,
  maxDelayMs: 2_000,
}

/**
 * Retries a call if a repetition may succeed and cannot take effect twice: every call that the server refused for the moment
 * and, after an ambiguous failure, queries and the mutations whose repetition the server recognizes.
 */
export const retryLink =
  (policy: RetryPolicy = RETRY_POLICY): TRPCLink<AppRouter> =>
  () =>
  ({ op, next }) =>
    observable((observer) => {
      const controller = new AbortController()
      const abort = () => controller.abort(op.signal?.reason)
      if (op.signal?.aborted) abort()
      op.signal?.addEventListener('abort', abort)
      callWithRetries({ ...op, signal: controller.signal }, next, policy).then(
        (result) => {
          observer.next(result)
          observer.complete()
        },
        (error) => observer.error(error),
      )
      return () => {
        op.signal?.removeEventListener('abort', abort)
        controller.abort()
      }
    })

async function callWithRetries(op: Operation & { signal: AbortSignal }, next: Next, policy: RetryPolicy) {
  const { attemptsMax, attemptTimeoutMs, totalTimeoutMs } = policy
  const { signal } = op
  const canRepeat = op.type === 'query' || isRetryable(op.path, idempotencyKeyOf(op.input))
  const startedAt = performance.now()
  const remainingMs = () => startedAt + totalTimeoutMs - performance.now()
  let wasAmbiguous = false
  for (let attempts = 1; ; attempts++) {
    const timeoutMs = Math.min(attemptTimeoutMs, Math.ceil(remainingMs()))
    const outcome = await attempt(next(op), { signal, timeoutMs })
    if ('result' in outcome) return outcome.result
    const { error, isAmbiguous } = outcome
    wasAmbiguous ||= isAmbiguous
    const requiredDelayMs = isAmbiguous && canRepeat ? 0 : retryAfterMs(error)
    const delayMs = backoffMs(attempts, policy) + (requiredDelayMs ?? 0)
    const shouldRetry = requiredDelayMs !== undefined && attempts < attemptsMax && delayMs < remainingMs()
    if (!shouldRetry) throw finalError(op, error, wasAmbiguous)
    await wait(delayMs, signal)
  }
}

/** Full jitter, so that clients that lost their connections at the same time do not all retry at the same time. */
function backoffMs(attempts: number, { baseDelayMs, maxDelayMs }: RetryPolicy): number {
  return Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** attempts)
}

/** The error that the caller gets. A query has no effect, so its outcome is never unknown. */
function finalError(
  op: Operation,
  error: TRPCClientError<AppRouter>,
  wasAmbiguous: boolean,
): TRPCClientError<AppRouter> {
  if (op.type === 'query' || !wasAmbiguous || isDecision(error)) return error
  return new OutcomeUnknownError(op.path, { idempotencyKey: idempotencyKeyOf(op.input), cause: error })
}
