import type { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { isDecisive, refusalOf } from './refusal.ts'
import { ConnectionError } from './response.ts'

/** Whether the call may have taken effect although it failed: no answer came, or the server itself cannot tell. */
export function isAmbiguous({ data, shape, cause, meta }: TRPCClientError<AppRouter>): boolean {
  if (shape) return data?.outcome === 'unknown'
  // With a response at hand and no shape, there was an answer, and it could not be deserialized.
  return cause instanceof ConnectionError ? cause.mayHaveArrived : meta?.response !== undefined
}

/** After how many milliseconds the same call may succeed, if it was refused for now; nothing happened. */
export function retryAfterMs(error: TRPCClientError<AppRouter>): number | undefined {
  const refusal = refusalOf(error)
  return refusal?.retry === 'same-key' ? refusal.afterMs : undefined
}

/** Whether the server decided about the call, and so about every try of it. */
export function isDecision(error: TRPCClientError<AppRouter>): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && isDecisive(refusal)
}
