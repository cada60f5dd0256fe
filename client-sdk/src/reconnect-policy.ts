import type { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { refusalOf } from './refusal.ts'
import { ConnectionError } from './response.ts'

/** The history of a subscription's connections. */
export interface ReconnectState {
  /** When the subscription began, by `performance.now()`. */
  startedAt: number
  /** Whether a connection was ever established. */
  wasEstablished: boolean
  /** Failed connections since the last established one. */
  failures: number
}

/** How long the client tries to establish the first connection. */
const FIRST_CONNECTION_MAX_MS = 30_000
const BASE_DELAY_MS = 100
const MAX_DELAY_MS = 15_000
/** How often in a row the server may reject the token, or the token function may fail. */
const TOKEN_FAILURES_MAX = 3
const TOKEN_RETRY_DELAY_MS = 1_000

/**
 * Counts a failed connection. Returns the milliseconds to wait before the next one, or undefined if another connection would
 * not succeed either. The delay grows exponentially and is random, so that clients that lost their connections at the same
 * time do not all reconnect at the same time.
 */
export function reconnectDelayMs(error: TRPCClientError<AppRouter>, state: ReconnectState): number | undefined {
  const { startedAt, wasEstablished } = state
  const failures = ++state.failures
  if (!wasEstablished && performance.now() - startedAt > FIRST_CONNECTION_MAX_MS) return undefined
  const backoffMs = Math.random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** failures)
  const refusal = refusalOf(error)
  if (refusal?.code === 'service_busy') return refusal.afterMs + backoffMs
  if (refusal?.code === 'rate_limited') return wasEstablished ? refusal.afterMs + backoffMs : undefined
  if (isServerOrConnectionFailure(error)) return backoffMs
  const isTokenFailure = refusal?.code === 'token_invalid' || !error.shape
  return isTokenFailure && wasEstablished && failures < TOKEN_FAILURES_MAX ? TOKEN_RETRY_DELAY_MS : undefined
}

/** Whether the server or the connection failed, as opposed to the server rejecting the call. */
function isServerOrConnectionFailure({ shape, data, cause }: TRPCClientError<AppRouter>): boolean {
  if (shape) return (data?.httpStatus ?? 500) >= 500
  return cause instanceof ConnectionError && cause.isTemporary
}
