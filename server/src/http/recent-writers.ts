import { REPLICA_LAG_MS_MAX } from '@pointwise/db'
import { LRUCache } from 'lru-cache'

/** Longer than a replica may be behind. */
export const READS_PRIMARY_MS = 2 * REPLICA_LAG_MS_MAX
const NETWORKS_MAX = 100_000

/**
 * The client networks whose calls may have written a moment ago, so that a replica may not contain what they have written. Too many
 * networks count as all.
 */
export class RecentWriters {
  readonly #networks: LRUCache<string, true>

  constructor(clock: { now: () => number } = performance) {
    this.#networks = new LRUCache({ max: NETWORKS_MAX, ttl: READS_PRIMARY_MS, ttlResolution: 0, perf: clock })
  }

  add(network: string): void {
    this.#networks.set(network, true)
  }

  has(network: string): boolean {
    return this.#networks.size === NETWORKS_MAX || this.#networks.has(network)
  }
}
