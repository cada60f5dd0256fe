import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { type Pool, readUncommitted } from '@pointwise/db'
import * as queries from './queries.ts'
import { type GapTimeouts, type IdRange, ReorderBuffer } from './reorder-buffer.ts'
import { type StoredEvent, toEvent } from './topics.ts'

/** However often it is woken, it does not look more often than this. */
const PAUSE_MS = 10
const PAUSE_AT_GAP_MS = 25
/** For what other processes write, which do not wake it. */
const PAUSE_IDLE_MS = 200
const PAUSE_FAILED_MS = 1_000
const PAGE = 1_000
/** Behind a gap no more than this is kept in memory. */
const WAITING_MAX = 10_000
const GAPS_AT_ONCE = 100
/** How many are handed on before whoever reads has had time to read. */
const HANDED_AT_ONCE = 250
/** How far back it looks, when it starts, for rows that are not committed yet. */
const START_IDS = 10_000

const PATIENCE: GapTimeouts = { emptyMs: 1_000, uncommittedMs: 30_000 }

export interface TailerOptions {
  gapTimeouts?: GapTimeouts | undefined
  /** Told of what the operator may want to know; nobody else is told. */
  onProblem?: ((what: string, details: object) => void) | undefined
}

type Listener = (events: StoredEvent[]) => void

/**
 * Reads the outbox as it grows, by whichever process, and hands each event on once, in the order of the ids: see
 * docs/live-updates.md. It reads only while somebody listens.
 */
export class OutboxTailer {
  readonly #db: Pool
  readonly #patience: GapTimeouts
  readonly #onProblem: NonNullable<TailerOptions['onProblem']>
  #listener: Listener | undefined
  #sequence: ReorderBuffer<StoredEvent> | undefined
  /** Where it stood when it stopped. */
  #stoppedAt: number | undefined
  #handedOn = 0
  #isLooking = false
  #isWoken = false
  #timer: NodeJS.Timeout | undefined
  #pauseMs = PAUSE_MS
  #lookedAt = 0
  #waiting: PromiseWithResolvers<void>[] = []

  constructor(db: Pool, { gapTimeouts = PATIENCE, onProblem = () => undefined }: TailerOptions = {}) {
    this.#db = db
    this.#patience = gapTimeouts
    this.#onProblem = onProblem
  }

  /** The last event that was handed on, since it began to read. */
  get dispatchedThrough(): number {
    return this.#handedOn
  }

  /** Everything up to here has been handed on, or is just being; no event will appear below. */
  get position(): number {
    return this.#sequence?.position ?? 0
  }

  /** The highest id that was seen. */
  get highest(): number {
    return this.#sequence?.highest ?? 0
  }

  /** Begins to read. */
  start(listener: Listener): void {
    this.#listener = listener
    this.#schedule(0)
  }

  /** Reads no more. */
  stop(): void {
    this.#listener = undefined
    clearTimeout(this.#timer)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
    if (!this.#isLooking) this.#suspend()
  }

  /** Something was committed: it looks soon, rather than when its pause is over. */
  wake(): void {
    if (!this.#listener) return
    this.#isWoken = true
    this.#schedule(Math.max(0, this.#lookedAt + PAUSE_MS - performance.now()))
  }

  /**
   * Resolves when it has seen what was committed before this call, or when nobody listens (any more).
   *
   * @throws what reading it throws
   */
  async caughtUp(): Promise<void> {
    if (!this.#listener) return
    const waiting = Promise.withResolvers<void>()
    this.#waiting.push(waiting)
    this.#isWoken = true
    this.#schedule(0)
    return waiting.promise
  }

  #schedule(pauseMs: number): void {
    if (this.#isLooking || !this.#listener) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#poll(), pauseMs).unref()
  }

  async #poll(): Promise<void> {
    this.#isLooking = true
    this.#isWoken = false
    const waiting = this.#waiting.splice(0)
    this.#lookedAt = performance.now()
    let pauseMs = PAUSE_FAILED_MS
    try {
      pauseMs = await this.#read()
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
      this.#onProblem('the outbox could not be read', { err: error })
    }
    this.#isLooking = false
    if (!this.#listener) this.#suspend()
    else this.#schedule(this.#isWoken && pauseMs !== PAUSE_FAILED_MS ? PAUSE_MS : pauseMs)
  }

  #suspend(): void {
    this.#stoppedAt = this.#sequence?.position ?? this.#stoppedAt
    this.#sequence = undefined
    this.#handedOn = 0
  }

  /** Reads what there is, and returns after how long to look again. */
  async #read(): Promise<number> {
    this.#sequence ??= await this.#begin()
    const sequence = this.#sequence
    await this.#fillGaps(sequence)
    // Those that waited behind a gap make room for others.
    await this.#dispatch(sequence.take())
    for (let isMore = true; isMore && sequence.waiting < WAITING_MAX; ) {
      const rows = await queries.selectEventsAfter(this.#db, { after: sequence.highest, limit: PAGE }).execute()
      sequence.append(rows.map(toEvent), performance.now())
      isMore = rows.length === PAGE
      await this.#dispatch(sequence.take())
      this.#pauseMs = rows.length > 0 ? PAUSE_MS : Math.min(PAUSE_IDLE_MS, this.#pauseMs * 1.5)
    }
    return sequence.gaps.length > 0 ? PAUSE_AT_GAP_MS : this.#pauseMs
  }

  async #dispatch(events: StoredEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += HANDED_AT_ONCE) {
      const handed = events.slice(start, start + HANDED_AT_ONCE)
      this.#listener?.(handed)
      this.#handedOn = handed.at(-1)?.id ?? this.#handedOn
      await nextTurn()
    }
  }

  async #fillGaps(sequence: ReorderBuffer<StoredEvent>): Promise<void> {
    const gaps = sequence.gaps.slice(0, GAPS_AT_ONCE)
    if (gaps.length === 0) return
    const askedAt = performance.now()
    const uncommitted = await this.#uncommitted(gaps)
    const rows = await queries.selectEventsWithin(this.#db, gaps).execute()
    const givenUp = sequence.fill(gaps, { rows: rows.map(toEvent), uncommitted, askedAt })
    if (givenUp.length > 0) this.#onProblem('events that are not committed were passed over', { ids: givenUp })
  }

  /** First, so that what is committed in between is found by whoever reads after it. */
  async #uncommitted(ranges: readonly IdRange[]): Promise<number[]> {
    const rows = await readUncommitted(this.#db, (db) => queries.selectIdsWithin(db, ranges).execute())
    return rows.map(({ id }) => id)
  }

  /** Stands behind the newest event, or before the first that is not committed yet. */
  async #begin(): Promise<ReorderBuffer<StoredEvent>> {
    const last = (await queries.selectLastId(this.#db).executeTakeFirst())?.id ?? 0
    const stoppedAt = Math.min(this.#stoppedAt ?? 0, last)
    const from = Math.max(stoppedAt, last - START_IDS)
    const isBegun = from > 0 && from === stoppedAt
    const ids = new ReorderBuffer<{ id: number }>(from, this.#patience, { isBegun })
    if (last > from) {
      ids.append(await queries.selectIdsWithin(this.#db, [{ from: from + 1, to: last }]).execute(), performance.now())
    }
    while (ids.gaps.length > 0) {
      const { gaps } = ids
      const askedAt = performance.now()
      const uncommitted = await this.#uncommitted(gaps)
      const rows = await queries.selectIdsWithin(this.#db, gaps).execute()
      ids.fill(gaps, { rows, uncommitted, askedAt })
      // What is left where no row is known of may have been given out a moment ago.
      const open = new Set(uncommitted)
      if (ids.gaps.every(({ from, to }) => from === to && open.has(from))) break
      await delay(PAUSE_AT_GAP_MS)
    }
    return new ReorderBuffer(ids.position, this.#patience, { isBegun: last > 0 })
  }
}
