import type { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { isDecisive, refusalOf } from './refusal.ts'
import { ConnectionError } from './response.ts'

/** Whether a failed call may have taken effect: no response arrived, or the server itself does not know the outcome. */
export function isAmbiguous({ data, shape, cause, meta }: TRPCClientError<AppRouter>): boolean {
  if (shape) return data?.outcome === 'unknown'
  // An error that has a response but no shape means that the result could not be deserialized.
  return cause instanceof ConnectionError ? cause.mayHaveArrived : meta?.response !== undefined
}

/** Milliseconds after which the same call may succeed; undefined unless the server refused it for the moment only. */
export function retryAfterMs(error: TRPCClientError<AppRouter>): number | undefined {
  const refusal = refusalOf(error)
  return refusal?.retry === 'same-key' ? refusal.afterMs : undefined
}

/** Whether the error is a refusal that also settles the outcome of earlier attempts. */
export function isDecision(error: TRPCClientError<AppRouter>): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && isDecisive(refusal)
}
