import type { Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'
import * as users from './service.ts'

const USERS_MAX = 50_000
/** The channel of removed users. A message is the id. */
const REMOVED = 'user-removed'

/**
 * Caches whether a user exists, so that a call does not query the database for its caller. A user that another server removed
 * may be found for up to twice the lifetime, unless Redis reports the removal. Procedures that change a balance do not rely on it: they check the user in their
 * transaction.
 */
export class UserExistenceCache {
  readonly #users: StaleWhileRevalidateCache<number, { exists: boolean }>

  readonly #redis: RedisConnection | undefined

  constructor(db: Reader, { ttlSeconds, redis }: { ttlSeconds: number; redis?: RedisConnection | undefined }) {
    this.#redis = redis
    this.#users = new StaleWhileRevalidateCache({ ttlSeconds, max: USERS_MAX }, async (userId) => ({
      exists: await users.exists(db, userId),
    }))
    redis?.subscribe(REMOVED, (userId) => this.#users.invalidate(Number(userId)))
    // Messages may have been lost.
    redis?.onAvailable(() => this.#users.invalidate())
  }

  async has(userId: number): Promise<boolean> {
    const { exists } = await this.#users.get(userId)
    if (!exists) this.#users.invalidate(userId)
    return exists
  }

  /** Drops the cached value of all servers that Redis reaches. */
  async userRemoved(userId: number): Promise<void> {
    this.#users.invalidate(userId)
    await this.#redis?.publish(REMOVED, String(userId))
  }
}
