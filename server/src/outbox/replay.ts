import type { Reader } from '@pointwise/db'
import * as queries from './queries.ts'
import { type StoredEvent, toEvent, topicFilter } from './topics.ts'

/** How many rows of the outbox a reader may be behind. */
const BEHIND_MAX = 1_000_000
/** How many of them one query passes over, and how many it returns. */
const IDS_AT_ONCE = 10_000
const ROWS_AT_ONCE = 500

/** There is no event of this id, or too many came after it. */
export class NotResumableError extends Error {
  override readonly name = 'NotResumable'
}

export interface ReplayRange {
  /** The last event that the reader had. */
  after: number
  /** From here on the tail tells. */
  throughId: number
  topics: readonly string[]
  /** Whether nobody waits for it any more. */
  isOver: () => boolean
}

/** What a reader who comes back has missed. However many come back at once, they read one after the other. */
export class OutboxReplay {
  readonly #db: Reader
  #turn: Promise<unknown> = Promise.resolve()

  constructor(db: Reader) {
    this.#db = db
  }

  /** @throws NotResumable */
  check(after: number, { position, highest }: { position: number; highest: number }): void {
    if (after > highest) throw new NotResumableError('is no id of an event')
    if (position - after > BEHIND_MAX) throw new NotResumableError('is of an event that lies too far back')
  }

  /** The events of some topics in a stretch of the outbox, in order. */
  async *read({ after, throughId, topics, isOver }: ReplayRange): AsyncGenerator<StoredEvent, void> {
    const about = topicFilter(topics)
    while (after < throughId) {
      const chunk = { after, upTo: Math.min(throughId, after + IDS_AT_ONCE), about, limit: ROWS_AT_ONCE }
      const read = async () => (isOver() ? [] : queries.selectEventsAbout(this.#db, chunk).execute())
      const rows = await this.#inTurn(read)
      for (const row of rows) yield toEvent(row)
      after = rows.length === ROWS_AT_ONCE ? (rows.at(-1)?.id ?? chunk.upTo) : chunk.upTo
    }
  }

  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(read)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
