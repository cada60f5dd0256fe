import type { Reader } from '@pointwise/db'
import * as queries from './queries.ts'

/** What the relay of this process does, and how far the topic is behind the outbox, for metrics. */
export class RelayStatus {
  /** Whether this process holds the lease. */
  isHolder = false
  /** Events that this process has published, including repeated ones. */
  published = 0
  /** Attempts of this process to publish that failed. */
  failures = 0
  /** The event that cannot be published; undefined if there is none. */
  stoppedAtId: number | undefined
  /** The highest id that was deleted on purpose. */
  horizon = 0
  /** Ids between the last published event and the newest one. */
  lag = 0
  #oldestUnpublishedAt: Date | null = null

  /** The age of the oldest event that is not published, in seconds; 0 if there is none. */
  get oldestAgeSeconds(): number {
    return this.#oldestUnpublishedAt ? Math.max(0, (Date.now() - this.#oldestUnpublishedAt.getTime()) / 1_000) : 0
  }

  /** Reads the state of the cursor. */
  async read(db: Reader, cursor: string): Promise<void> {
    const backlog = await queries.selectBacklog(db, cursor).executeTakeFirst()
    if (!backlog) return
    const { position, newestId, horizon, oldestUnpublishedAt } = backlog
    this.lag = Math.max(0, (newestId ?? position) - position)
    this.horizon = horizon ?? 0
    this.#oldestUnpublishedAt = oldestUnpublishedAt
    if (this.stoppedAtId !== undefined && position >= this.stoppedAtId) this.stoppedAtId = undefined
  }
}
