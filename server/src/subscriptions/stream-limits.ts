import { Refusal } from '../refusals.ts'

const RETRY_AFTER_MS = 5_000

export interface StreamLimits {
  /** The most streams that one user or one address may have open. */
  perCaller: number
  /** The most streams that the process may have open. */
  total: number
}

/** Counts the open streams of each caller and of the process, and refuses those above the limits. */
export class StreamLimiter {
  readonly #limits: StreamLimits
  readonly #openByCaller = new Map<string, number>()
  #open = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /**
   * Counts a stream of the caller, and returns the function that releases it. Call that function exactly once.
   *
   * @throws Refusal rate_limited
   */
  acquire(caller: string): () => void {
    const open = this.#openByCaller.get(caller) ?? 0
    if (open >= this.#limits.perCaller || this.#open >= this.#limits.total) {
      throw new Refusal('rate_limited', { afterMs: RETRY_AFTER_MS })
    }
    this.#openByCaller.set(caller, open + 1)
    this.#open++
    return () => {
      const remaining = (this.#openByCaller.get(caller) ?? 1) - 1
      if (remaining > 0) this.#openByCaller.set(caller, remaining)
      else this.#openByCaller.delete(caller)
      this.#open--
    }
  }
}
