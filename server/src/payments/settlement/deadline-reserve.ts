const MIN_MS = 250
const MAX_MS = 2_000
/** After this time without another long batch, the reserve is halved. */
const HALF_LIFE_MS = 1_000

/**
 * The time that a request must have left until its deadline when a batch begins to settle it. A request whose deadline passes before
 * COMMIT makes the whole batch begin again, so requests that may be late are refused before: by default those with less than 250 ms
 * left, and after a longer batch those with less than twice its duration.
 */
export class DeadlineReserve {
  #ms = 0
  #since = 0

  get ms(): number {
    const ms = this.#ms * 2 ** ((this.#since - performance.now()) / HALF_LIFE_MS)
    return Math.min(MAX_MS, Math.max(MIN_MS, ms))
  }

  /** Takes the duration of a batch into account. */
  record(durationMs: number): void {
    if (2 * durationMs < this.ms) return
    this.#ms = Math.min(MAX_MS, 2 * durationMs)
    this.#since = performance.now()
  }
}
