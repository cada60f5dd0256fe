import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { type Pool, readUncommitted } from '@pointwise/db'
import { type StoredEvent, toStoredEvent } from './events.ts'
import { type RetainedEvents, readRetainedEvents } from './horizon.ts'
import * as queries from './queries.ts'
import { type Gap, type GapTimeouts, type IdRange, ReorderBuffer } from './reorder-buffer.ts'

/** The shortest interval between two polls, however often `wake` is called. */
const INTERVAL_MIN_MS = 10
/** The interval while an id is missing. */
const INTERVAL_AT_GAP_MS = 25
/** The longest interval. Commits of other processes do not wake the tailer. */
const INTERVAL_MAX_MS = 200
const INTERVAL_AFTER_FAILURE_MS = 1_000
const ROWS_PER_QUERY = 1_000
/** The rows that are buffered behind a gap, at most. */
const BUFFERED_MAX = 10_000
const GAPS_PER_QUERY = 100
/** The events that are dispatched before the event loop runs the code that sends them. */
const DISPATCHED_PER_TURN = 250
/** How often the tailer checks that new events do not have lower ids. */
const ID_CHECK_MS = 2_000
/** How many of the last ids are checked for uncommitted rows when the tailer starts. */
const LOOKBACK_IDS = 10_000

const DEFAULT_GAP_TIMEOUTS: GapTimeouts = { emptyMs: 1_000, uncommittedMs: 30_000 }

export interface TailerOptions {
  gapTimeouts?: GapTimeouts | undefined
  /** Receives warnings for the log of the operator. */
  onWarning?: ((message: string, details: object) => void) | undefined
}

export interface TailerListener {
  onEvents: (events: StoredEvent[]) => void
  /** Called when the tailer cannot read every event that follows its position. It continues with the newest event. */
  onMissed: () => void
}

/**
 * Follows the outbox, whichever process writes to it, and dispatches each event exactly once, in the order of the ids: see
 * docs/subscriptions.md. It polls only between `start` and `stop`.
 */
export class OutboxTailer {
  readonly #db: Pool
  readonly #gapTimeouts: GapTimeouts
  readonly #onWarning: NonNullable<TailerOptions['onWarning']>
  #listener: TailerListener | undefined
  #buffer: ReorderBuffer<StoredEvent> | undefined
  #suspendedAt: number | undefined
  #dispatchedThrough = 0
  #isPolling = false
  #isWakePending = false
  #timer: NodeJS.Timeout | undefined
  #intervalMs = INTERVAL_MIN_MS
  #polledAt = 0
  #idsCheckedAt = 0
  #pendingCatchUps: PromiseWithResolvers<void>[] = []

  constructor(db: Pool, { gapTimeouts = DEFAULT_GAP_TIMEOUTS, onWarning = () => undefined }: TailerOptions = {}) {
    this.#db = db
    this.#gapTimeouts = gapTimeouts
    this.#onWarning = onWarning
  }

  /** The id of the last event that was dispatched since `start`; 0 before the first. */
  get dispatchedThrough(): number {
    return this.#dispatchedThrough
  }

  /** The id up to which every event has been dispatched, or is being dispatched now. No event will appear below it. */
  get position(): number {
    return this.#buffer?.position ?? 0
  }

  /** The highest id that was read. */
  get highestId(): number {
    return this.#buffer?.highestId ?? 0
  }

  /** Starts polling. */
  start(listener: TailerListener): void {
    this.#listener = listener
    this.#schedule(0)
  }

  /** Stops polling. Pending calls of `caughtUp` resolve. */
  stop(): void {
    this.#listener = undefined
    clearTimeout(this.#timer)
    for (const { resolve } of this.#pendingCatchUps.splice(0)) resolve()
    if (!this.#isPolling) this.#suspend()
  }

  /** Polls soon, without waiting for the interval to end. Call it after a commit. */
  wake(): void {
    if (!this.#listener) return
    this.#isWakePending = true
    this.#schedule(Math.max(0, this.#polledAt + INTERVAL_MIN_MS - performance.now()))
  }

  /**
   * Resolves when everything that was committed before this call has been read, or when the tailer is stopped.
   *
   * @throws the error of the database
   */
  async caughtUp(): Promise<void> {
    if (!this.#listener) return
    const catchUp = Promise.withResolvers<void>()
    this.#pendingCatchUps.push(catchUp)
    this.#isWakePending = true
    this.#schedule(0)
    return catchUp.promise
  }

  #schedule(delayMs: number): void {
    if (this.#isPolling || !this.#listener) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#poll(), delayMs).unref()
  }

  async #poll(): Promise<void> {
    this.#isPolling = true
    this.#isWakePending = false
    const catchUps = this.#pendingCatchUps.splice(0)
    this.#polledAt = performance.now()
    let nextMs = INTERVAL_AFTER_FAILURE_MS
    try {
      nextMs = await this.#readNewEvents()
      if (this.#isWakePending) nextMs = INTERVAL_MIN_MS
      for (const { resolve } of catchUps) resolve()
    } catch (error) {
      for (const { reject } of catchUps) reject(error)
      this.#onWarning('reading the outbox failed and will be retried', { err: error })
    }
    this.#isPolling = false
    if (this.#listener) this.#schedule(nextMs)
    else this.#suspend()
  }

  #suspend(): void {
    this.#suspendedAt = this.#buffer?.position ?? this.#suspendedAt
    this.#buffer = undefined
    this.#dispatchedThrough = 0
  }

  /** Reads and dispatches what has been committed, and returns the delay until the next poll. */
  async #readNewEvents(): Promise<number> {
    this.#buffer ??= await this.#createBuffer()
    const buffer = this.#buffer
    if (!(await this.#fillGaps(buffer)) || (await this.#isAheadOfOutbox(buffer))) {
      this.#restart()
      return INTERVAL_MIN_MS
    }
    // Dispatching first makes room in the buffer.
    await this.#dispatch(buffer.take())
    for (let hasMore = true; hasMore && buffer.size < BUFFERED_MAX; ) {
      const page = { after: buffer.highestId, limit: ROWS_PER_QUERY }
      const rows = await queries.selectEventsAfter(this.#db, page).execute()
      buffer.append(rows.map(toStoredEvent), performance.now())
      hasMore = rows.length === ROWS_PER_QUERY
      await this.#dispatch(buffer.take())
      this.#intervalMs = rows.length > 0 ? INTERVAL_MIN_MS : Math.min(INTERVAL_MAX_MS, this.#intervalMs * 1.5)
    }
    return buffer.gaps.length > 0 ? INTERVAL_AT_GAP_MS : this.#intervalMs
  }

  async #dispatch(events: StoredEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += DISPATCHED_PER_TURN) {
      const batch = events.slice(start, start + DISPATCHED_PER_TURN)
      this.#listener?.onEvents(batch)
      this.#dispatchedThrough = batch.at(-1)?.id ?? this.#dispatchedThrough
      await nextTurn()
    }
  }

  /** Discards the position, because events after it were deleted, or new events have lower ids. */
  #restart(): void {
    this.#onWarning('events were deleted before they were read: open subscriptions end', { after: this.position })
    this.#buffer = undefined
    this.#suspendedAt = undefined
    this.#dispatchedThrough = 0
    this.#listener?.onMissed()
  }

  /**
   * Returns whether the newest event has a lower id than one that was read: the table was truncated or restored. New events
   * would not be read.
   */
  async #isAheadOfOutbox(buffer: ReorderBuffer<StoredEvent>): Promise<boolean> {
    if (performance.now() - this.#idsCheckedAt < ID_CHECK_MS) return false
    this.#idsCheckedAt = performance.now()
    const last = await queries.selectLastId(this.#db).executeTakeFirst()
    return last !== undefined && last.id < buffer.highestId
  }

  /** Returns whether every event of the gaps can still appear or never existed. */
  async #fillGaps(buffer: ReorderBuffer<StoredEvent>): Promise<boolean> {
    const gaps = buffer.gaps.slice(0, GAPS_PER_QUERY)
    const [lowest] = gaps
    if (!lowest) return true
    const checkedAt = performance.now()
    const existingIds = await this.#existingIds(gaps)
    const rows = await queries.selectEventsWithin(this.#db, gaps).execute()
    // After the rows: a row that is deleted between the two reads is either in the first or below the second's bounds.
    if (isPartlyDeleted(lowest, await readRetainedEvents(this.#db))) return false
    const skippedIds = buffer.fill(gaps, { rows: rows.map(toStoredEvent), existingIds, checkedAt })
    if (skippedIds.length > 0) {
      this.#onWarning('events were skipped because their transactions did not commit in time', { ids: skippedIds })
    }
    return true
  }

  /**
   * Returns the ids with a row, committed or not. Call it before reading the committed rows: a row that commits between the
   * two reads is in both results, and in the opposite order it would be in neither.
   */
  async #existingIds(ranges: readonly IdRange[]): Promise<number[]> {
    const rows = await readUncommitted(this.#db, (db) => queries.selectIdsWithin(db, ranges).execute())
    return rows.map(({ id }) => id)
  }

  /** Returns a buffer positioned after the newest event, or before the first event that is not committed yet. */
  async #createBuffer(): Promise<ReorderBuffer<StoredEvent>> {
    const { horizon } = await readRetainedEvents(this.#db)
    const last = await queries.selectLastId(this.#db).executeTakeFirst()
    const lastId = last?.id ?? horizon
    // The outbox may have been emptied while the tailer was suspended.
    const suspendedAt = Math.min(this.#suspendedAt ?? 0, lastId)
    const from = Math.max(suspendedAt, lastId - LOOKBACK_IDS, Math.min(horizon, lastId))
    const isResuming = from > 0 && from === suspendedAt
    const ids = new ReorderBuffer<{ id: number }>(from, this.#gapTimeouts, { skipLeadingGap: !isResuming })
    if (lastId > from) {
      const rows = await queries.selectIdsWithin(this.#db, [{ from: from + 1, to: lastId }]).execute()
      ids.append(rows, performance.now())
    }
    while (ids.gaps.length > 0) {
      const { gaps } = ids
      const checkedAt = performance.now()
      const existingIds = await this.#existingIds(gaps)
      const rows = await queries.selectIdsWithin(this.#db, gaps).execute()
      ids.fill(gaps, { rows, existingIds, checkedAt })
      // Wait for empty ids: they may have been assigned a moment ago. Uncommitted rows are left to the returned buffer.
      const existing = new Set(existingIds)
      if (ids.gaps.every(({ from, to }) => from === to && existing.has(from))) break
      await delay(INTERVAL_AT_GAP_MS)
    }
    return new ReorderBuffer(ids.position, this.#gapTimeouts, { skipLeadingGap: last === undefined })
  }
}

/** Whether events of the gap may have been deleted. Below the first row that was ever read, the oldest row proves nothing. */
function isPartlyDeleted({ from, isLeading }: Gap, { horizon, oldestId }: RetainedEvents): boolean {
  return from <= horizon || (!isLeading && oldestId !== null && from < oldestId)
}
