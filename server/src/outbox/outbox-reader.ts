import { type Pool, readUncommitted } from '@pointwise/db'
import { type RetainedEvents, readRetainedEvents } from './horizon.ts'
import * as queries from './queries.ts'
import { type Gap, type GapCheck, type GapTimeouts, type IdRange, ReorderBuffer } from './reorder-buffer.ts'

const ROWS_PER_QUERY = 1_000
/** The rows that are buffered behind a gap, at most. */
const BUFFERED_MAX = 10_000
const GAPS_PER_QUERY = 100
/** How often the reader checks that new events do not have lower ids. */
const ID_CHECK_MS = 2_000

/** The queries of one representation of the outbox's rows. Each returns its rows by ascending id. */
export interface RowQueries<Row extends { id: number }> {
  after: (db: Pool, page: { after: number; limit: number }) => Promise<readonly Row[]>
  within: (db: Pool, ranges: readonly IdRange[]) => Promise<readonly Row[]>
}

export interface ReaderOptions<Row extends { id: number }> {
  rows: RowQueries<Row>
  gapTimeouts: GapTimeouts
  /** Receives ids that were skipped, because their transactions did not commit within `gapTimeouts.uncommittedMs`. */
  onSkipped?: (ids: number[]) => void
}

/** Events that follow the position of a reader were deleted, or new events have lower ids. */
export class MissingEventsError extends Error {
  override readonly name = 'MissingEventsError'

  constructor(after: number) {
    super(`Events after ${after} were deleted before they were read, or new events have lower ids.`)
  }
}

export interface ReadRows<Row> {
  rows: Row[]
  /** Whether more rows can be read at once. */
  hasMore: boolean
}

/**
 * Reads the rows of the outbox that follow a position, in the order of their ids, each exactly once: see
 * docs/subscriptions.md. It never passes an id whose transaction may still commit.
 */
export class OutboxReader<Row extends { id: number }> {
  readonly #db: Pool
  readonly #options: ReaderOptions<Row>
  readonly #buffer: ReorderBuffer<Row>
  #idsCheckedAt = 0

  /**
   * @param position the id up to which everything has been read
   * @param options.skipLeadingGap see `ReorderBuffer`
   */
  constructor(
    db: Pool,
    position: number,
    { skipLeadingGap = false, ...options }: ReaderOptions<Row> & { skipLeadingGap?: boolean },
  ) {
    this.#db = db
    this.#options = options
    this.#buffer = new ReorderBuffer(position, options.gapTimeouts, { skipLeadingGap })
  }

  /** The highest id up to which no further row will appear. */
  get position(): number {
    return this.#buffer.position
  }

  /** The highest id that was read. */
  get highestId(): number {
    return this.#buffer.highestId
  }

  /** Whether an id below `highestId` is missing and may still appear. */
  get hasGap(): boolean {
    return this.#buffer.gaps.length > 0
  }

  /**
   * Reads what has been committed, one page at most.
   *
   * @throws MissingEventsError, after which the reader cannot continue
   * @throws the error of the database, after which the reader can continue
   */
  async read(): Promise<ReadRows<Row>> {
    const buffer = this.#buffer
    if (!(await this.#fillGaps()) || (await this.#isAheadOfOutbox())) throw new MissingEventsError(buffer.position)
    // Returned without reading a page, because a failure of that query would lose them.
    const released = buffer.take()
    if (released.length > 0) return { rows: released, hasMore: true }
    if (buffer.size >= BUFFERED_MAX) return { rows: [], hasMore: false }
    const page = await this.#options.rows.after(this.#db, { after: buffer.highestId, limit: ROWS_PER_QUERY })
    buffer.append(page, performance.now())
    return { rows: buffer.take(), hasMore: page.length === ROWS_PER_QUERY && buffer.size < BUFFERED_MAX }
  }

  /**
   * Returns whether the newest event has a lower id than one that was read: the table was truncated or restored. New events
   * would not be read.
   */
  async #isAheadOfOutbox(): Promise<boolean> {
    if (performance.now() - this.#idsCheckedAt < ID_CHECK_MS) return false
    this.#idsCheckedAt = performance.now()
    const last = await queries.selectLastId(this.#db).executeTakeFirst()
    return last !== undefined && last.id < this.#buffer.highestId
  }

  /** Returns whether every event of the gaps can still appear or never existed. */
  async #fillGaps(): Promise<boolean> {
    const gaps = this.#buffer.gaps.slice(0, GAPS_PER_QUERY)
    const [lowest] = gaps
    if (!lowest) return true
    const check = await checkGaps(this.#db, this.#buffer, gaps)
    const rows = await this.#options.rows.within(this.#db, gaps)
    // After the rows: a row that is deleted between the two reads is either in the first or below the second's bounds.
    if (isPartlyDeleted(lowest, await readRetainedEvents(this.#db))) return false
    const skippedIds = this.#buffer.fill(gaps, { rows, ...check })
    if (skippedIds.length > 0) this.#options.onSkipped?.(skippedIds)
    return true
  }
}

/**
 * Finds out why ids are missing. Call it before reading the committed rows: a row that commits between the two reads is in both
 * results, and in the opposite order it would be in neither. An INSERT that ends between its two statements has left its rows.
 */
export async function checkGaps<Row extends { id: number }>(
  db: Pool,
  buffer: ReorderBuffer<Row>,
  gaps: readonly Gap[],
): Promise<Omit<GapCheck<Row>, 'rows'>> {
  const checkedAt = performance.now()
  const longInsert = buffer.hasTimedOut(gaps, checkedAt) && (await queries.selectLongInserts(db).executeTakeFirst())
  const existing = await readUncommitted(db, (reader) => queries.selectIdsWithin(reader, gaps).execute())
  return { checkedAt, isInsertUnderWay: Boolean(longInsert), existingIds: existing.map(({ id }) => id) }
}

/** Whether events of the gap may have been deleted. Below the first row that was ever read, the oldest row proves nothing. */
function isPartlyDeleted({ from, isLeading }: Gap, { horizon, oldestId }: RetainedEvents): boolean {
  return from <= horizon || (!isLeading && oldestId !== null && from < oldestId)
}
