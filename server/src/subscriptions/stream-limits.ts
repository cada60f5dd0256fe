import type { RedisConnection } from '../redis/redis-connection.ts'
import { Refusal } from '../refusals.ts'
import { SharedStreamCounts } from './shared-stream-counts.ts'

const RETRY_AFTER_MS = 5_000

export interface StreamLimits {
  /** The most streams that one user or one address may have open. With Redis, on all servers together. */
  perCaller: number
  /** The most streams that the process may have open. */
  total: number
}

/** Counts the open streams of each caller and of the process, and refuses those above the limits. */
export class StreamLimiter {
  readonly #limits: StreamLimits
  readonly #shared: SharedStreamCounts | undefined
  readonly #openByCaller = new Map<string, number>()
  #open = 0

  constructor(limits: StreamLimits, redis?: RedisConnection | undefined) {
    this.#limits = limits
    if (redis && Number.isFinite(limits.perCaller)) this.#shared = new SharedStreamCounts(redis, limits.perCaller)
  }

  /**
   * Counts a stream of the caller, and returns the function that releases it. Call that function exactly once.
   *
   * @throws Refusal rate_limited
   */
  async acquire(caller: string): Promise<() => void> {
    const release = this.#acquireLocally(caller)
    if (!this.#shared) return release
    const releaseShared = await this.#shared.acquire(caller)
    if (!releaseShared) {
      release()
      throw tooManyStreams()
    }
    return () => {
      release()
      releaseShared()
    }
  }

  #acquireLocally(caller: string): () => void {
    const open = this.#openByCaller.get(caller) ?? 0
    if (open >= this.#limits.perCaller || this.#open >= this.#limits.total) throw tooManyStreams()
    this.#openByCaller.set(caller, open + 1)
    this.#open++
    return () => {
      const remaining = (this.#openByCaller.get(caller) ?? 1) - 1
      if (remaining > 0) this.#openByCaller.set(caller, remaining)
      else this.#openByCaller.delete(caller)
      this.#open--
    }
  }
}

const tooManyStreams = () => new Refusal('rate_limited', { afterMs: RETRY_AFTER_MS })
