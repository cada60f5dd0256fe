import { LRUCache } from 'lru-cache'

export interface CacheOptions {
  /** How long a value is good for; 0 keeps nothing. */
  ttlSeconds: number
  /** How many values are kept at most, those that were asked for last. */
  max: number
  /** Milliseconds that only ever grow. */
  clock?: { now: () => number }
}

/**
 * Values that are read once and then kept for a while. However many ask at once, each is read once. When its time is up,
 * the next to ask still get the old value and cause it to be read again; a value of twice that age is never given out.
 */
export class StaleWhileRevalidateCache<Key extends string | number, Value extends object> {
  readonly #read: (key: Key) => Promise<Value>
  readonly #values: LRUCache<Key, Value> | undefined
  readonly #ttlMs: number
  #forgotten = 0

  constructor({ ttlSeconds, max, clock = performance }: CacheOptions, read: (key: Key) => Promise<Value>) {
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
            fetchMethod: read,
            noDeleteOnFetchRejection: true,
          })
  }

  /** @throws what reading it throws, when there is no value young enough to give out instead */
  async get(key: Key): Promise<Value> {
    if (!this.#values) return this.#read(key)
    const isTooOld = this.#values.getRemainingTTL(key) < -this.#ttlMs
    const forgotten = this.#forgotten
    try {
      return await this.#values.forceFetch(key, { allowStale: !isTooOld })
    } catch (error) {
      // What is forgotten while it is being read is read again.
      if (this.#forgotten !== forgotten) return this.get(key)
      throw error
    }
  }

  /** Whether a value is kept and its time is not up. */
  has(key: Key): boolean {
    return this.#values?.has(key) ?? false
  }

  /** Keeps nothing of what was read until now, or not this one. */
  invalidate(key?: Key): void {
    this.#forgotten++
    if (key === undefined) this.#values?.clear()
    else this.#values?.delete(key)
  }
}
