import type { Reader } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import { type StoredEvent, toStoredEvent } from './events.ts'
import { readRetainedEvents, requireRetained } from './horizon.ts'
import * as queries from './queries.ts'
import { topicsOf } from './topics.ts'

/** How many ids a client may be behind. */
const IDS_BEHIND_MAX = 1_000_000
/** The ids that one query covers, and the rows that it returns, at most. */
const IDS_PER_QUERY = 10_000
const ROWS_PER_QUERY = 500

export interface ReplayRange {
  /** The last event that the client received. */
  after: number
  /** The last event to replay. The tailer delivers those above it. */
  throughId: number
  topics: readonly string[]
  /** Whether the stream has ended. No further query is run then. */
  isEnded: () => boolean
}

/** Reads the events that a client missed while it was disconnected. Concurrent replays share one connection in turn. */
export class OutboxReplay {
  readonly #db: Reader
  #lastQuery: Promise<unknown> = Promise.resolve()

  constructor(db: Reader) {
    this.#db = db
  }

  /**
   * Requires that every event after `after` can be delivered.
   *
   * @throws Refusal not_resumable if no event has the id yet, too many ids have followed it, or later events were deleted
   */
  async check(after: number, { position, highestId }: { position: number; highestId: number }): Promise<void> {
    if (after > highestId || position - after > IDS_BEHIND_MAX) throw new Refusal('not_resumable')
    requireRetained(await readRetainedEvents(this.#db), { after, newestId: highestId })
  }

  /**
   * Yields the events of the range that concern one of the topics, in the order of their ids.
   *
   * @throws Refusal not_resumable if events of the range were deleted before they were read
   */
  async *read({ after, throughId, topics, isEnded }: ReplayRange): AsyncGenerator<StoredEvent, void> {
    const wanted = new Set(topics)
    while (after < throughId) {
      const chunk = { after, throughId: Math.min(throughId, after + IDS_PER_QUERY), topics, limit: ROWS_PER_QUERY }
      const rows = await this.#inTurn(async () => {
        if (isEnded()) return []
        const read = await queries.selectEventsOfTopics(this.#db, chunk).execute()
        // After the events, because a deletion may have been committed since the last query.
        requireRetained(await readRetainedEvents(this.#db), { after: chunk.after, newestId: throughId })
        return read
      })
      for (const row of rows) {
        const event = toStoredEvent(row)
        if (topicsOf(event.payload).some((topic) => wanted.has(topic))) yield event
      }
      after = rows.length === ROWS_PER_QUERY ? (rows.at(-1)?.id ?? chunk.throughId) : chunk.throughId
    }
  }

  #inTurn<T>(query: () => Promise<T>): Promise<T> {
    const result = this.#lastQuery.then(query)
    this.#lastQuery = result.catch(() => undefined)
    return result
  }
}
