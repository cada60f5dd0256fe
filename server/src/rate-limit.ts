import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refusal } from './refusals.ts'

const WINDOW_SECONDS = 60

/** Counts one procedure call of a caller, named by `key`; @throws Refusal rate_limited. */
export type Admit = (key: string) => Promise<void>

/** Admits `callsPerMinute` calls of each key in a minute; null admits every call. */
export function createAdmit(callsPerMinute: number | null): Admit {
  if (callsPerMinute === null) return async () => undefined
  const limiter = new RateLimiterMemory({ points: callsPerMinute, duration: WINDOW_SECONDS })
  return async (key) => {
    try {
      await limiter.consume(key)
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection
      throw new Refusal('rate_limited', { afterMs: rejection.msBeforeNext })
    }
  }
}
