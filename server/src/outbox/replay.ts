import type { Reader } from '@pointwise/db'
import { type StoredEvent, toStoredEvent } from './events.ts'
import * as queries from './queries.ts'
import { topicsOf } from './topics.ts'

/** How many ids a client may be behind. */
const IDS_BEHIND_MAX = 1_000_000
/** The ids that one query covers, and the rows that it returns, at most. */
const IDS_PER_QUERY = 10_000
const ROWS_PER_QUERY = 500

const RESTART = 'Read the current state, then subscribe without lastEventId.'

/** The stream cannot resume after the client's id. The message is for the client. */
export class NotResumableError extends Error {
  override readonly name = 'NotResumableError'
}

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

  /** @throws NotResumableError if no event has the id yet, or too many ids have followed it */
  check(after: number, { position, highestId }: { position: number; highestId: number }): void {
    if (after > highestId) throw new NotResumableError(`lastEventId is not the id of any event. ${RESTART}`)
    if (position - after > IDS_BEHIND_MAX) throw new NotResumableError(`lastEventId is too far behind. ${RESTART}`)
  }

  /** Yields the events of the range that concern one of the topics, in the order of their ids. */
  async *read({ after, throughId, topics, isEnded }: ReplayRange): AsyncGenerator<StoredEvent, void> {
    const wanted = new Set(topics)
    while (after < throughId) {
      const chunk = { after, throughId: Math.min(throughId, after + IDS_PER_QUERY), topics, limit: ROWS_PER_QUERY }
      const query = async () => (isEnded() ? [] : queries.selectEventsOfTopics(this.#db, chunk).execute())
      const rows = await this.#inTurn(query)
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
