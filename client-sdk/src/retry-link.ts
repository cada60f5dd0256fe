import type { Operation, TRPCClientError, TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import type { AppRouter } from './app-router.ts'
import { attempt, wait } from './attempt.ts'
import { isFault, retryDelayMs } from './classify-error.ts'
import type { Endpoint } from './endpoint.ts'
import { idempotencyKeyOf } from './idempotency-link.ts'
import { OutcomeUnknownError } from './outcome-unknown-error.ts'
import { isDecisive, refusalOf } from './refusal.ts'
import { repeatableCall } from './retryable-mutations.ts'
import { serverTimeOf } from './server-clock.ts'
import type { SentAttempt } from './undecided-attempts.ts'

type Next = Parameters<ReturnType<TRPCLink<AppRouter>>>[0]['next']
type ClientError = TRPCClientError<AppRouter>

/** For how long, and how often, a call is attempted. */
export interface RetryPolicy {
  /** The time within which a call succeeds or fails, with all its attempts. */
  timeoutMs: number
  /** How long an attempt waits for its response. It is also the deadline that the server gets. */
  attemptTimeoutMs: number
  /** No attempt begins when less time is left, because it could only make the outcome unknown. */
  lastAttemptMs: number
  /** The delay before the nth retry is random, up to `baseDelayMs * 2ⁿ`, but at most `maxDelayMs`. */
  baseDelayMs: number
  maxDelayMs: number
  /** By how much the clocks of two servers may differ. */
  clockSkewMs: number
}

export const RETRY_POLICY: RetryPolicy = {
  timeoutMs: 30_000,
  attemptTimeoutMs: 8_000,
  lastAttemptMs: 1_000,
  baseDelayMs: 100,
  maxDelayMs: 2_000,
  clockSkewMs: 2_000,
}

/**
 * Retries a call if a repetition may succeed and cannot take effect twice: every call that the server refused for the moment or that
 * was not sent and, after an ambiguous failure, queries and the mutations whose repetition the server recognizes.
 */
export const retryLink =
  (policy: RetryPolicy, endpoint: Endpoint): TRPCLink<AppRouter> =>
  () =>
  ({ op, next }) =>
    observable((observer) => {
      const controller = new AbortController()
      const abort = () => controller.abort(op.signal?.reason)
      if (op.signal?.aborted) abort()
      op.signal?.addEventListener('abort', abort)
      new RetriedCall({ ...op, signal: controller.signal }, next, policy, endpoint).run().then(
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

/** An attempt that failed. */
interface Failure {
  error: ClientError
  isAmbiguous: boolean
  /** The attempts of the same call that were sent before, and may have taken or take effect. */
  undecided: SentAttempt[]
}

class RetriedCall {
  readonly #op: Operation & { signal: AbortSignal }
  readonly #next: Next
  readonly #policy: RetryPolicy
  readonly #endpoint: Endpoint
  /** Identifies the call among all calls of the endpoint; undefined if a repetition could take effect twice. */
  readonly #call: string | undefined
  readonly #endsAt: number
  /** The last refusal that did not decide the call. */
  #undecidedRefusal: ClientError | undefined

  constructor(op: Operation & { signal: AbortSignal }, next: Next, policy: RetryPolicy, endpoint: Endpoint) {
    this.#op = op
    this.#next = next
    this.#policy = policy
    this.#endpoint = endpoint
    this.#call = repeatableCall(op)
    this.#endsAt = performance.now() + policy.timeoutMs
  }

  async run() {
    for (let attempts = 1; ; attempts++) {
      const outcome = await this.#attempt()
      if ('result' in outcome) return outcome.result
      const delayMs = this.#delayMs(outcome, attempts)
      if (delayMs === undefined) throw this.#finalError(outcome)
      await wait(delayMs, this.#op.signal)
    }
  }

  get #remainingMs(): number {
    return Math.max(1, Math.ceil(this.#endsAt - performance.now()))
  }

  async #attempt() {
    const { undecidedAttempts } = this.#endpoint
    const call = this.#call
    const timeoutMs = Math.min(this.#policy.attemptTimeoutMs, this.#remainingMs)
    let sent: { attempt: SentAttempt; earlier: SentAttempt[] } | undefined
    const outcome = await attempt(this.#op, {
      next: this.#next,
      signal: this.#op.signal,
      prepareTimeoutMs: this.#remainingMs,
      timeoutMs,
      onSend: () => {
        if (this.#op.type !== 'mutation') return {}
        const deadline = Math.floor(this.#endpoint.clock.now()) + timeoutMs
        if (call !== undefined) sent = undecidedAttempts.add(call, deadline)
        return { 'request-deadline': String(deadline) }
      },
    })
    if ('result' in outcome) {
      if (call !== undefined) undecidedAttempts.decideAll(call)
      return outcome
    }
    if (call !== undefined && sent && !outcome.isAmbiguous) undecidedAttempts.decide(call, sent.attempt)
    const earlier = sent?.earlier ?? (call === undefined ? [] : undecidedAttempts.of(call))
    return { ...outcome, undecided: earlier.filter(({ isDecided }) => !isDecided) }
  }

  /** Milliseconds until the next attempt, or undefined if there is none. */
  #delayMs(failure: Failure, attempts: number): number | undefined {
    const delayMs = this.#requiredDelayMs(failure)
    if (delayMs === undefined) return undefined
    const { lastAttemptMs, attemptTimeoutMs } = this.#policy
    const availableMs = this.#remainingMs - Math.min(lastAttemptMs, attemptTimeoutMs)
    const backoffMs = this.#backoffMs(attempts)
    if (delayMs + backoffMs <= availableMs) return delayMs + backoffMs
    // The deadline passes too late to wait for it, but the earlier attempt may have taken effect by now.
    return this.#isUndecidedRefusal(failure) && backoffMs <= availableMs ? backoffMs : undefined
  }

  #requiredDelayMs(failure: Failure): number | undefined {
    const { error, isAmbiguous, undecided } = failure
    if (isAmbiguous) return this.#call === undefined && this.#op.type !== 'query' ? undefined : retryDelayMs(error)
    const delayMs = retryDelayMs(error)
    if (delayMs !== undefined || undecided.length === 0) return delayMs
    if (this.#isUndecidedRefusal(failure)) {
      this.#undecidedRefusal = error
      const decidedAt = latestDeadline(undecided) + this.#policy.clockSkewMs
      return Math.max(0, decidedAt - this.#endpoint.clock.now())
    }
    return isFault(error) ? 0 : undefined
  }

  /** Full jitter, so that clients that lost their connections at the same time do not all retry at the same time. */
  #backoffMs(attempts: number): number {
    const { baseDelayMs, maxDelayMs } = this.#policy
    return Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** attempts)
  }

  /** Whether the refusal would be final, but an earlier attempt may still take effect. */
  #isUndecidedRefusal(failure: Failure): boolean {
    return hasDecisiveRefusal(failure.error) && !this.#isFinal(failure)
  }

  /**
   * Whether the refusal also settles the outcome of the earlier attempts: the server began to decide it when their deadlines had
   * passed. Its locks make it wait for a COMMIT that was sent before. See docs/transactions.md.
   */
  #isFinal({ error, undecided }: Failure): boolean {
    if (!hasDecisiveRefusal(error)) return false
    if (undecided.length === 0) return true
    const serverTime = serverTimeOf(error.meta?.response as Response | undefined)
    return serverTime !== undefined && serverTime >= latestDeadline(undecided) + this.#policy.clockSkewMs
  }

  /** The error that the caller gets. A query has no effect, so its outcome is never unknown. */
  #finalError(failure: Failure): ClientError {
    const { error, isAmbiguous, undecided } = failure
    const { type, path, input } = this.#op
    if (type === 'query') return error
    if (!isAmbiguous && (undecided.length === 0 || this.#isFinal(failure))) {
      if (this.#call !== undefined && undecided.length > 0) this.#endpoint.undecidedAttempts.decideAll(this.#call)
      return error
    }
    const cause = this.#op.signal.aborted ? error : (this.#undecidedRefusal ?? error)
    return new OutcomeUnknownError(path, { idempotencyKey: idempotencyKeyOf(input), cause })
  }
}

const latestDeadline = (attempts: SentAttempt[]) => Math.max(...attempts.map(({ deadline }) => deadline))

function hasDecisiveRefusal(error: ClientError): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && isDecisive(refusal)
}
