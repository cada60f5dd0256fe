import { REPLICA_LAG_MS_MAX } from '@pointwise/db'
import { LRUCache } from 'lru-cache'
import type { RedisConnection } from '../redis/redis-connection.ts'

/** Longer than a replica may be behind. */
const READS_PRIMARY_MS = 2 * REPLICA_LAG_MS_MAX
const NETWORKS_MAX = 100_000
/** The channel of writes. A message is the client network. */
const WROTE = 'wrote'

interface RecentWritersOptions {
  /** Reports the writes of other servers. */
  redis?: Pick<RedisConnection, 'subscribe' | 'publish' | 'onAvailable'> | undefined
  /** A monotonic clock, in milliseconds. */
  clock?: { now: () => number }
}

/**
 * The client networks whose calls may have written a moment ago, so that a replica may not contain what they have written: on this
 * server, and on every server that Redis reaches. Too many networks count as all.
 */
export class RecentWriters {
  readonly #redis: RecentWritersOptions['redis']
  readonly #clock: { now: () => number }
  readonly #networks: LRUCache<string, true>
  #everyoneUntil = Number.NEGATIVE_INFINITY

  constructor({ redis, clock = performance }: RecentWritersOptions = {}) {
    this.#redis = redis
    this.#clock = clock
    this.#networks = new LRUCache({ max: NETWORKS_MAX, ttl: READS_PRIMARY_MS, ttlResolution: 0, perf: clock })
    redis?.subscribe(WROTE, (network) => this.#networks.set(network, true))
    // Messages may have been lost.
    redis?.onAvailable(() => {
      this.#everyoneUntil = clock.now() + READS_PRIMARY_MS
    })
  }

  /** Remembers a write on all servers that Redis reaches. */
  async add(network: string): Promise<void> {
    this.#networks.set(network, true)
    await this.#redis?.publish(WROTE, network)
  }

  has(network: string): boolean {
    return (
      this.#networks.has(network) || this.#networks.size === NETWORKS_MAX || this.#clock.now() < this.#everyoneUntil
    )
  }
}
