import { Aged, StaleWhileRevalidateCache } from '../cache.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'
import { SharedValues, type SharedValuesOptions } from '../redis/shared-values.ts'
import { type Offer, type RankingEntry, RankingSnapshot } from './ranking-snapshot.ts'

export interface RankingCacheOptions<Ranking> extends SharedValuesOptions<Ranking> {
  redis: RedisConnection | undefined
  read: () => Promise<Ranking>
  /** Whether the names and prices that `read` returns may be those before a change, because a replica is behind. */
  isBehind: boolean
  readOffers: (productIds: number[]) => Promise<Offer[]>
}

const KEY = 'ranking'

/** Caches a ranking, on all servers that share a Redis. Its names and prices are those of the last change that this server knows. */
export class RankingCache<Ranking extends { items: RankingEntry[] }> {
  readonly #options: RankingCacheOptions<Ranking>
  readonly #cache: StaleWhileRevalidateCache<typeof KEY, RankingSnapshot<Ranking>>
  readonly #shared: SharedValues<Ranking> | undefined
  #latest: RankingSnapshot<Ranking> | undefined
  #changes = 0

  constructor(options: RankingCacheOptions<Ranking>) {
    this.#options = options
    this.#shared = options.redis && new SharedValues(options.redis, options)
    this.#cache = new StaleWhileRevalidateCache({ ttlSeconds: options.ttlSeconds, max: 1 }, () => this.#read())
  }

  async get(): Promise<Ranking> {
    return (await this.#cache.get(KEY)).current()
  }

  /** Call it after a product was changed or removed; without an id, after any products may have been. */
  changed(productId?: number): void {
    this.#changes++
    this.#latest?.changed(productId)
  }

  async #read(): Promise<Aged<RankingSnapshot<Ranking>>> {
    const { readOffers, isBehind } = this.#options
    const changes = this.#changes
    let isOwn = false
    const read = () => {
      isOwn = true
      return this.#options.read()
    }
    const { value, ageMs } = this.#shared ? await this.#shared.get(KEY, read) : new Aged(await read(), 0)
    // Products may have changed after another server has read the ranking, or while this one has read it.
    this.#latest = new RankingSnapshot(value, {
      isCurrent: isOwn && !isBehind && changes === this.#changes,
      readOffers,
    })
    return new Aged(this.#latest, ageMs)
  }
}
