import { runApart } from '../redis/call-wait.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'

/** How long the streams of a server that ended without releasing them are counted. */
const EXPIRY_MS = 60_000
const RENEWAL_MS = 20_000
/** Fewer than Redis executes within the time limit of a command. */
const CALLERS_PER_BATCH = 100

const NOW = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** Adds a stream, if fewer than the limit are open: keys: caller; arguments: expiry, limit, stream. */
const ACQUIRE = `${NOW}
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
if redis.call('zcard', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('zadd', KEYS[1], now + ARGV[1], ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[1])
return 1`

/** Renews streams, or adds them again: keys: caller; arguments: expiry, streams. */
const RENEW = `${NOW}
for index = 2, #ARGV do redis.call('zadd', KEYS[1], now + ARGV[1], ARGV[index]) end
redis.call('pexpire', KEYS[1], ARGV[1])`

/**
 * The open streams of each caller on all servers, in Redis. A server that is killed renews its streams no more, and a server that
 * could not reach Redis adds its streams when it can.
 */
export class SharedStreamCounts {
  readonly #redis: RedisConnection
  readonly #perCaller: number
  readonly #acquire: (...args: (string | number)[]) => Promise<unknown>
  readonly #renew: (...args: (string | number)[]) => Promise<unknown>
  readonly #streams = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined
  #opened = 0

  constructor(redis: RedisConnection, perCaller: number) {
    this.#redis = redis
    this.#perCaller = perCaller
    this.#acquire = redis.script({ lua: ACQUIRE, numberOfKeys: 1 })
    this.#renew = redis.script({ lua: RENEW, numberOfKeys: 1 })
    redis.onAvailable(() => void this.#renewAll())
  }

  /** Counts a stream, and returns the function that releases it; undefined if the caller has too many. Without Redis, it is counted later. */
  async acquire(caller: string): Promise<(() => void) | undefined> {
    const stream = `${this.#redis.processId}:${++this.#opened}`
    const isAccepted = await this.#acquire(keyOf(caller), EXPIRY_MS, this.#perCaller, stream).catch(() => 1)
    if (isAccepted === 0) return undefined
    this.#streams.set(caller, (this.#streams.get(caller) ?? new Set()).add(stream))
    this.#timer ??= runApart(() => setInterval(() => void this.#renewAll(), RENEWAL_MS).unref())
    return () => this.#release(caller, stream)
  }

  #release(caller: string, stream: string): void {
    const streams = this.#streams.get(caller)
    if (streams?.delete(stream) && streams.size === 0) this.#streams.delete(caller)
    if (this.#streams.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    // Without Redis, the stream expires.
    runApart(() => void this.#redis.run((client) => client.zrem(keyOf(caller), stream)).catch(() => undefined))
  }

  async #renewAll(): Promise<void> {
    const callers = [...this.#streams.keys()]
    for (let start = 0; start < callers.length && this.#redis.isAvailable; start += CALLERS_PER_BATCH) {
      const renewals = callers.slice(start, start + CALLERS_PER_BATCH).flatMap((caller) => {
        // Its streams may have ended while the callers before it were renewed.
        const streams = this.#streams.get(caller)
        return streams ? [this.#renew(keyOf(caller), EXPIRY_MS, ...streams)] : []
      })
      await Promise.all(renewals).catch(() => undefined)
    }
  }
}

const keyOf = (caller: string) => `pointwise:streams:${caller}`
