import type { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { refusalOf } from './refusal.ts'
import { ConnectionError } from './response.ts'

/** Whether a failed call may have taken effect: no response arrived, or the server itself does not know the outcome. */
export function isAmbiguous({ data, shape, cause, meta }: TRPCClientError<AppRouter>): boolean {
  if (shape) return data?.outcome === 'unknown'
  // An error that has a response but no shape means that the result could not be deserialized.
  return cause instanceof ConnectionError ? cause.mayHaveArrived : meta?.response !== undefined
}

/** Milliseconds after which the same call may succeed; undefined if it would fail again. */
export function retryDelayMs(error: TRPCClientError<AppRouter>): number | undefined {
  const refusal = refusalOf(error)
  if (refusal) return refusal.retry === 'same-key' ? refusal.afterMs : undefined
  if (isAmbiguous(error)) return error.cause instanceof ConnectionError ? error.cause.retryAfterMs : 0
  return error.cause instanceof ConnectionError && error.cause.isTemporary ? error.cause.retryAfterMs : undefined
}

/** Whether the server failed, as opposed to rejecting the call. */
export function isFault({ shape, data }: TRPCClientError<AppRouter>): boolean {
  return shape !== undefined && shape !== null && (data?.httpStatus ?? 500) >= 500
}
