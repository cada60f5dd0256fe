import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Pool } from '@pointwise/db'
import { type StoredEvent, toStoredEvent } from './events.ts'
import { readRetainedEvents } from './horizon.ts'
import { checkGaps, MissingEventsError, OutboxReader, type RowQueries } from './outbox-reader.ts'
import * as queries from './queries.ts'
import { type GapTimeouts, ReorderBuffer } from './reorder-buffer.ts'

/** The shortest interval between two polls, however often `wake` is called. */
const INTERVAL_MIN_MS = 10
/** The interval while an id is missing. */
const INTERVAL_AT_GAP_MS = 25
/** The longest interval. Commits of other processes do not wake the tailer. */
const INTERVAL_MAX_MS = 200
const INTERVAL_AFTER_FAILURE_MS = 1_000
/** The events that are dispatched before the event loop runs the code that sends them. */
const DISPATCHED_PER_TURN = 250
/** How many of the last ids are checked for uncommitted rows when the tailer starts. */
const LOOKBACK_IDS = 10_000

const DEFAULT_GAP_TIMEOUTS: GapTimeouts = { emptyMs: 1_000, uncommittedMs: 30_000 }

const STORED_EVENTS: RowQueries<StoredEvent> = {
  after: async (db, page) => (await queries.selectEventsAfter(db, page).execute()).map(toStoredEvent),
  within: async (db, ranges) => (await queries.selectEventsWithin(db, ranges).execute()).map(toStoredEvent),
}

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
  #reader: OutboxReader<StoredEvent> | undefined
  #suspendedAt: number | undefined
  #dispatchedThrough = 0
  #isPolling = false
  #isWakePending = false
  #timer: NodeJS.Timeout | undefined
  #intervalMs = INTERVAL_MIN_MS
  #polledAt = 0
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
    return this.#reader?.position ?? 0
  }

  /** The highest id that was read. */
  get highestId(): number {
    return this.#reader?.highestId ?? 0
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
    this.#suspendedAt = this.#reader?.position ?? this.#suspendedAt
    this.#reader = undefined
    this.#dispatchedThrough = 0
  }

  /** Reads and dispatches what has been committed, and returns the delay until the next poll. */
  async #readNewEvents(): Promise<number> {
    this.#reader ??= await this.#createReader()
    const reader = this.#reader
    const { highestId } = reader
    try {
      for (let hasMore = true; hasMore; ) {
        const read = await reader.read()
        await this.#dispatch(read.rows)
        hasMore = read.hasMore
      }
    } catch (error) {
      if (!(error instanceof MissingEventsError)) throw error
      this.#restart()
      return INTERVAL_MIN_MS
    }
    const isIdle = reader.highestId === highestId
    this.#intervalMs = isIdle ? Math.min(INTERVAL_MAX_MS, this.#intervalMs * 1.5) : INTERVAL_MIN_MS
    return reader.hasGap ? INTERVAL_AT_GAP_MS : this.#intervalMs
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
    this.#reader = undefined
    this.#suspendedAt = undefined
    this.#dispatchedThrough = 0
    this.#listener?.onMissed()
  }

  /** Returns a reader positioned after the newest event, or before the first event that is not committed yet. */
  async #createReader(): Promise<OutboxReader<StoredEvent>> {
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
      const check = await checkGaps(this.#db, ids, gaps)
      const rows = await queries.selectIdsWithin(this.#db, gaps).execute()
      ids.fill(gaps, { rows, ...check })
      // Wait for empty ids: they may have been assigned a moment ago. Uncommitted rows are left to the returned reader.
      const existing = new Set(check.existingIds)
      if (ids.gaps.every(({ from, to }) => from === to && existing.has(from))) break
      await delay(INTERVAL_AT_GAP_MS)
    }
    return new OutboxReader(this.#db, ids.position, {
      rows: STORED_EVENTS,
      gapTimeouts: this.#gapTimeouts,
      onSkipped: (ids) =>
        this.#onWarning('events were skipped because their transactions did not commit in time', { ids }),
      skipLeadingGap: last === undefined,
    })
  }
}
