import type { Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import * as users from './service.ts'

const USERS_MAX = 50_000

/**
 * Which users there are, remembered for a moment, so that a call does not ask the database who its caller is. A user who is
 * removed by another server may go on for twice as long at most; what moves points decides it in its transaction.
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

  /** After a user was removed. */
  invalidate(userId: number): void {
    this.#users.invalidate(userId)
  }
}
