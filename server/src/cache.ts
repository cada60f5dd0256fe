import { LRUCache } from 'lru-cache'

export interface CacheOptions {
  /** How long a value is fresh. With 0, nothing is cached. */
  ttlSeconds: number
  /** The number of values in the cache. Beyond it, the least recently used value is removed. */
  max: number
  /** A monotonic clock, in milliseconds. */
  clock?: { now: () => number }
}

/** A value that was read some time ago, by another server. */
export class Aged<Value> {
  readonly value: Value
  readonly ageMs: number

  constructor(value: Value, ageMs: number) {
    this.value = value
    this.ageMs = ageMs
  }
}

/**
 * A stale-while-revalidate cache. Concurrent calls for the same key cause one read. For as long as the TTL after a value has
 * expired, it is still returned while it is read again in the background; an older value is never returned. The age of a value
 * that another server has read counts.
 */
export class StaleWhileRevalidateCache<Key extends string | number, Value extends object> {
  readonly #read: (key: Key) => Promise<Value | Aged<Value>>
  readonly #values: LRUCache<Key, Value> | undefined
  readonly #ttlMs: number
  #invalidations = 0

  constructor(
    { ttlSeconds, max, clock = performance }: CacheOptions,
    read: (key: Key) => Promise<Value | Aged<Value>>,
  ) {
    this.#read = read
    this.#ttlMs = ttlSeconds * 1_000
    this.#values =
      ttlSeconds === 0
        ? undefined
        : new LRUCache<Key, Value>({
            max,
            ttl: this.#ttlMs,
            ttlResolution: 0,
            perf: clock,
            fetchMethod: async (key, _stale, { options }) => {
              const value = await read(key)
              if (!(value instanceof Aged)) return value
              // 0 would be no limit.
              options.ttl = Math.max(1, this.#ttlMs - value.ageMs)
              return value.value
            },
            noDeleteOnFetchRejection: true,
          })
  }

  /** @throws the error of reading the value, when no cached value can be returned instead */
  async get(key: Key): Promise<Value> {
    if (!this.#values) {
      const value = await this.#read(key)
      return value instanceof Aged ? value.value : value
    }
    const isTooOld = this.#values.getRemainingTTL(key) < -this.#ttlMs
    const invalidations = this.#invalidations
    try {
      return await this.#values.forceFetch(key, { allowStale: !isTooOld })
    } catch (error) {
      // Invalidating a value aborts its read: read it again.
      if (this.#invalidations !== invalidations) return this.get(key)
      throw error
    }
  }

  /** Whether a fresh value is cached. */
  has(key: Key): boolean {
    return this.#values?.has(key) ?? false
  }

  /** Removes the value of a key, or all values. */
  invalidate(key?: Key): void {
    this.#invalidations++
    if (key === undefined) this.#values?.clear()
    else this.#values?.delete(key)
  }
}
