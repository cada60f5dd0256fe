/** Ids from `from` to `to`, both included. */
export interface IdRange {
  from: number
  to: number
}

/** How long a gap delays the rows above it, in milliseconds since the gap was first seen. */
export interface GapTimeouts {
  /** For an id without a row, unless an INSERT that may have received the id is under way. */
  emptyMs: number
  /** For an id whose transaction is open: longer than the longest transaction. */
  uncommittedMs: number
}

/** Ids that have not appeared. */
export interface Gap extends IdRange {
  /** When the gap was first seen. */
  since: number
  /** The gap lies below the first row of the outbox, where rows may have been deleted. Its empty ids time out at once. */
  isLeading: boolean
}

/** The result of checking gaps in the database. */
export interface GapCheck<Row> {
  /** The committed rows in the gaps. */
  rows: readonly Row[]
  /**
   * Whether an INSERT that began before the gaps were seen may still be under way. It may have received ids of the gaps. This must
   * be read before `existingIds`.
   */
  isInsertUnderWay: boolean
  /** The ids in the gaps that had a row, committed or not. They must be read before `rows`. */
  existingIds: readonly number[]
  /** When the check began. */
  checkedAt: number
}

/**
 * Releases rows in the order of their ids. The database assigns an id before the transaction commits, so a row may become
 * visible after rows with higher ids, and an id may never appear because its transaction rolled back. A row is released once
 * every id below it has appeared or has timed out. Times are those of one monotonic clock, in milliseconds.
 */
export class ReorderBuffer<Row extends { id: number }> {
  readonly #timeouts: GapTimeouts
  #highestId: number
  #isLeading: boolean
  #gaps: Gap[] = []
  /** Ascending. After `take`, every row lies above the first gap. */
  #rows: Row[] = []

  /**
   * @param position the highest id below which no row will appear
   * @param options.skipLeadingGap do not wait for empty ids between `position` and the first row: they may be those of
   *   deleted rows
   */
  constructor(position: number, timeouts: GapTimeouts, { skipLeadingGap }: { skipLeadingGap: boolean }) {
    this.#highestId = position
    this.#timeouts = timeouts
    this.#isLeading = skipLeadingGap
  }

  /** The highest id that was appended. */
  get highestId(): number {
    return this.#highestId
  }

  /** The highest id up to which no further row will appear. */
  get position(): number {
    const [first] = this.#gaps
    return first ? first.from - 1 : this.#highestId
  }

  /** The ids that have not appeared, ascending. */
  get gaps(): readonly Gap[] {
    return this.#gaps
  }

  /** Whether the timeout of an id without a row has passed for one of the gaps. */
  hasTimedOut(gaps: readonly Gap[], now: number): boolean {
    return gaps.some(({ since, isLeading }) => !isLeading && now - since >= this.#timeouts.emptyMs)
  }

  /** The number of buffered rows. */
  get size(): number {
    return this.#rows.length
  }

  /** Adds rows above the highest id, ascending. */
  append(rows: readonly Row[], now: number): void {
    for (const row of rows) {
      const gap = { from: this.#highestId + 1, to: row.id - 1, since: now, isLeading: this.#isLeading }
      if (gap.from <= gap.to) this.#gaps.push(gap)
      this.#isLeading = false
      this.#highestId = row.id
      this.#rows.push(row)
    }
  }

  /**
   * Adds the rows that have appeared in the given gaps, and closes what has timed out.
   *
   * @param gaps elements of `gaps`, all of which were checked
   * @returns the ids that timed out although their transactions are open; of a range that an INSERT may fill, the first id
   */
  fill(gaps: readonly IdRange[], { rows, isInsertUnderWay, existingIds, checkedAt }: GapCheck<Row>): number[] {
    const committed = new Set(rows.map(({ id }) => id))
    const present = [...new Set([...committed, ...existingIds])].sort((a, b) => a - b)
    const checked = new Set(gaps)
    const skipped: number[] = []
    this.#gaps = this.#gaps.flatMap((gap) => {
      if (!checked.has(gap)) return [gap]
      const ageMs = checkedAt - gap.since
      const isUncommittedTimedOut = ageMs >= this.#timeouts.uncommittedMs
      const mayBeInserted = isInsertUnderWay && !gap.isLeading
      const isEmptyTimedOut = gap.isLeading || (mayBeInserted ? isUncommittedTimedOut : ageMs >= this.#timeouts.emptyMs)
      const remaining: Gap[] = []
      const addEmpty = (from: number, to: number) => {
        if (from > to) return
        if (!isEmptyTimedOut) remaining.push({ ...gap, from, to })
        else if (mayBeInserted) skipped.push(from)
      }
      let from = gap.from
      for (const id of present) {
        if (id < gap.from || id > gap.to) continue
        addEmpty(from, id - 1)
        if (!committed.has(id)) {
          if (isUncommittedTimedOut) skipped.push(id)
          else remaining.push({ ...gap, from: id, to: id })
        }
        from = id + 1
      }
      addEmpty(from, gap.to)
      return remaining
    })
    if (rows.length > 0) this.#rows = [...this.#rows, ...rows].sort((a, b) => a.id - b.id)
    return skipped
  }

  /** Removes and returns the rows below the first gap, in order. */
  take(): Row[] {
    const { position } = this
    const count = this.#rows.findIndex(({ id }) => id > position)
    return this.#rows.splice(0, count === -1 ? this.#rows.length : count)
  }
}
