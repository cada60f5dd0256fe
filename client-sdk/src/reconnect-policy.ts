import type { TRPCClientError } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { refusalOf } from './refusal.ts'
import { ConnectionError } from './response.ts'

/** How a subscription has fared so far. */
export interface ReconnectState {
  since: number
  /** Whether it was ever followed. */
  started: boolean
  /** How often it failed since it was last followed. */
  failures: number
}

/** How long the first connection may be tried for. */
const START_MS = 30_000
const PAUSE_MS = 100
const PAUSE_MAX_MS = 15_000
/** How often in a row a token may be refused, or not be had. */
const REFUSED_MAX = 3
const REFUSED_PAUSE_MS = 1_000

/**
 * After how many milliseconds a subscription that failed is followed again; undefined when that would not help. Clients
 * that were cut off together do not come back together.
 */
export function reconnectDelayMs(error: TRPCClientError<AppRouter>, standing: ReconnectState): number | undefined {
  const { since, started } = standing
  const failures = ++standing.failures
  if (!started && performance.now() - since > START_MS) return undefined
  const pauseMs = Math.random() * Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** failures)
  const refusal = refusalOf(error)
  if (refusal?.code === 'service_busy') return refusal.afterMs + pauseMs
  if (refusal?.code === 'rate_limited') return started ? refusal.afterMs + pauseMs : undefined
  if (isOfServer(error)) return pauseMs
  const mayPass = refusal?.code === 'token_invalid' || !error.shape
  return mayPass && started && failures < REFUSED_MAX ? REFUSED_PAUSE_MS : undefined
}

/** Whether the connection or the server failed, rather than the call. */
function isOfServer({ shape, data, cause }: TRPCClientError<AppRouter>): boolean {
  if (shape) return (data?.httpStatus ?? 500) >= 500
  return cause instanceof ConnectionError && cause.mayHaveArrived
}
