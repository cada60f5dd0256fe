import type { TRPCClientError } from '@trpc/client'
import { NoAnswer } from './answer.ts'
import type { AppRouter } from './app-router.ts'
import { type RefusalCode, refusalOf } from './refusal.ts'

/** Whether the call may have taken effect although it failed: no answer came, or the server itself cannot tell. */
export function isLost({ data, shape, cause, meta }: TRPCClientError<AppRouter>): boolean {
  if (shape) return data?.outcome === 'unknown'
  // With a response at hand and no shape, there was an answer, and it could not be deserialized.
  return cause instanceof NoAnswer ? cause.mayHaveArrived : meta?.response !== undefined
}

/** After how many milliseconds the same call may succeed, if it was refused for now; nothing happened. */
export function passesAfterMs(error: TRPCClientError<AppRouter>): number | undefined {
  const refusal = refusalOf(error)
  return refusal?.retry === 'same-key' ? refusal.afterMs : undefined
}

/** What the server says before it looks whether it knows the call; it tells nothing about an earlier try. */
const SAID_BEFORE_LOOKING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'token_missing',
  'token_invalid',
  'not_allowed',
  'user_not_found',
  'rate_limited',
  'service_busy',
])

/** Whether the server decided about the call, and so about every try of it. */
export function isDecision(error: TRPCClientError<AppRouter>): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && !SAID_BEFORE_LOOKING.has(refusal.code)
}
