/** Ids from one to another, both included. */
export interface IdRange {
  from: number
  to: number
}

/** How long a gap holds up what comes after it, in milliseconds since it was first seen. */
export interface GapTimeouts {
  /** Where there is no row: what its transaction takes from being given an id to inserting the row. */
  emptyMs: number
  /** Where there is a row that is not committed: longer than the longest transaction. */
  uncommittedMs: number
}

interface Gap extends IdRange {
  since: number
  /** Where there is no row, none is waited for. */
  isOld: boolean
}

/**
 * Puts rows in the order of their ids. Ids are handed out before commit, so that a row may appear after others with higher
 * ids; and an id may never appear, because its transaction was rolled back. A row's turn comes when every id below it has
 * appeared, or has been waited for.
 */
export class ReorderBuffer<Row extends { id: number }> {
  readonly #patience: GapTimeouts
  #highest: number
  #isBegun: boolean
  #gaps: Gap[] = []
  /** Ascending; all of them are above the first gap, once `take` has been called. */
  #rows: Row[] = []

  /** Where `isBegun` is false, nothing is known of the ids between the position and the first row. */
  constructor(position: number, patience: GapTimeouts, { isBegun }: { isBegun: boolean }) {
    this.#highest = position
    this.#patience = patience
    this.#isBegun = isBegun
  }

  /** The highest id that was seen. */
  get highest(): number {
    return this.#highest
  }

  /** No row will appear from here down. */
  get position(): number {
    const [first] = this.#gaps
    return first ? first.from - 1 : this.#highest
  }

  /** The ids that have not appeared, lowest first. */
  get gaps(): readonly IdRange[] {
    return this.#gaps
  }

  /** How many rows wait for their turn. */
  get waiting(): number {
    return this.#rows.length
  }

  /** Takes rows in that lie above the highest id, ascending. */
  append(rows: readonly Row[], now: number): void {
    for (const row of rows) {
      const gap = { from: this.#highest + 1, to: row.id - 1, since: now, isOld: !this.#isBegun }
      if (gap.from <= gap.to) this.#gaps.push(gap)
      this.#isBegun = true
      this.#highest = row.id
      this.#rows.push(row)
    }
  }

  /**
   * Takes in what was found in the gaps: the rows that have appeared, and the ids of the rows that are not committed. The
   * latter were looked for at `askedAt`, before the former. Returns the ids that were given up although their rows are there.
   */
  fill(
    gaps: readonly IdRange[],
    found: { rows: readonly Row[]; uncommitted: readonly number[]; askedAt: number },
  ): number[] {
    const { rows, uncommitted, askedAt } = found
    const appeared = new Set(rows.map(({ id }) => id))
    const known = [...rows.map(({ id }) => id), ...uncommitted.filter((id) => !appeared.has(id))].sort((a, b) => a - b)
    const asked = new Set(gaps)
    const givenUp: number[] = []
    this.#gaps = this.#gaps.flatMap((gap) => {
      if (!asked.has(gap)) return [gap]
      const left: Gap[] = []
      const emptyMs = gap.isOld ? 0 : this.#patience.emptyMs
      const age = askedAt - gap.since
      const keep = (from: number, to: number, patienceMs: number) => {
        if (from > to) return true
        if (age < patienceMs) left.push({ ...gap, from, to })
        return age < patienceMs
      }
      let from = gap.from
      for (const id of known) {
        if (id < gap.from || id > gap.to) continue
        keep(from, id - 1, emptyMs)
        if (!appeared.has(id) && !keep(id, id, this.#patience.uncommittedMs)) givenUp.push(id)
        from = id + 1
      }
      keep(from, gap.to, emptyMs)
      return left
    })
    if (rows.length > 0) this.#rows = [...this.#rows, ...rows].sort((a, b) => a.id - b.id)
    return givenUp
  }

  /** The rows whose turn has come, in order. */
  take(): Row[] {
    const { position } = this
    const count = this.#rows.findIndex(({ id }) => id > position)
    return this.#rows.splice(0, count === -1 ? this.#rows.length : count)
  }
}
