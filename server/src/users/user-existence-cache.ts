import type { Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import * as users from './service.ts'

const USERS_MAX = 50_000

/**
 * Caches whether a user exists, so that a call does not query the database for its caller. A user that another server removed
 * may be found for up to twice the lifetime. Procedures that change a balance do not rely on it: they check the user in their
 * transaction.
 */
export class UserExistenceCache {
  readonly #users: StaleWhileRevalidateCache<number, { exists: boolean }>

  constructor(db: Reader, { ttlSeconds }: { ttlSeconds: number }) {
    this.#users = new StaleWhileRevalidateCache({ ttlSeconds, max: USERS_MAX }, async (userId) => ({
      exists: await users.exists(db, userId),
    }))
  }

  async has(userId: number): Promise<boolean> {
    const { exists } = await this.#users.get(userId)
    if (!exists) this.#users.invalidate(userId)
    return exists
  }

  /** Drops the cached value, after a user was removed. */
  invalidate(userId: number): void {
    this.#users.invalidate(userId)
  }
}
