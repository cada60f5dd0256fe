import type { RedisConnection } from '../redis/redis-connection.ts'
import { RateLimiter } from './rate-limiter.ts'

/**
 * Counts one procedure call against a network or a user.
 *
 * @throws Refusal rate_limited
 */
export type ConsumeRateLimit = (caller: { network: string } | { userId: number }) => void | Promise<void>

/**
 * Limits the calls of each client network and of each user to `callsPerMinute`; null means no limit. With Redis, the calls on all
 * servers count together.
 */
export async function createConsumeRateLimit(
  callsPerMinute: number | null,
  redis?: RedisConnection | undefined,
): Promise<ConsumeRateLimit> {
  if (callsPerMinute === null) return () => undefined
  const local = new RateLimiter(callsPerMinute)
  const limiter = redis ? await sharedLimiter(redis, local) : local
  return (caller) => limiter.consume('userId' in caller ? `user:${caller.userId}` : `network:${caller.network}`)
}

/** The library is loaded only where it is used. */
async function sharedLimiter(redis: RedisConnection, local: RateLimiter) {
  const { SharedRateLimiter } = await import('./shared-rate-limiter.ts')
  return new SharedRateLimiter(redis, local)
}
