import { RateLimiterCompatibleAbstract, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisConnection, RedisScript } from '../redis/redis-connection.ts'
import { Refusal } from '../refusals.ts'
import { type RateLimiter, WINDOW_MS } from './rate-limiter.ts'

/** Counts the calls of all servers in Redis, and the calls of this server in its memory while Redis is unavailable. */
export class SharedRateLimiter {
  readonly #limiter: RateLimiterRedis

  constructor(redis: RedisConnection, local: RateLimiter) {
    this.#limiter = new RateLimiterRedis({
      storeClient: new StoreClient(redis),
      keyPrefix: 'pointwise:calls',
      points: local.callsPerMinute,
      duration: WINDOW_MS / 1_000,
      insuranceLimiter: new InsuranceLimiter(local),
    })
  }

  /** @throws Refusal rate_limited, with the milliseconds until the window of the key ends */
  async consume(key: string): Promise<void> {
    try {
      await this.#limiter.consume(key)
    } catch (error) {
      if (error instanceof RateLimiterRes)
        throw new Refusal('rate_limited', { afterMs: Math.max(1, error.msBeforeNext) })
      throw error
    }
  }
}

/** What `RateLimiterRedis` uses of a client: the script that it defines. */
class StoreClient {
  readonly #redis: RedisConnection
  rlflxIncr: ((args: string[]) => Promise<unknown>) | undefined

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  defineCommand(_name: string, script: RedisScript): void {
    const run = this.#redis.script(script)
    this.rlflxIncr = (args) => run(...args)
  }
}

/** Called for each call that Redis cannot count. `RateLimiterMemory` would have a timer for each key, and no limit of keys. */
class InsuranceLimiter extends RateLimiterCompatibleAbstract {
  override readonly keyPrefix = ''
  override blockDuration = 0
  override execEvenly = false
  readonly #limiter: RateLimiter

  constructor(limiter: RateLimiter) {
    super()
    this.#limiter = limiter
  }

  override async consume(key: string): Promise<RateLimiterRes> {
    this.#limiter.consume(key)
    return new RateLimiterRes()
  }
}
