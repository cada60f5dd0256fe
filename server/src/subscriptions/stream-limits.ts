import { Refusal } from '../refusals.ts'

const LIMITED_AFTER_MS = 5_000

export interface StreamLimits {
  /** Of one user, or one address. */
  perCaller: number
  inAll: number
}

/** How many streams are open, of each caller and in all. */
export class StreamLimiter {
  readonly #limits: StreamLimits
  readonly #taken = new Map<string, number>()
  #inAll = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** Takes a place, and returns how to give it back, once. @throws Refusal rate_limited */
  take(caller: string): () => void {
    const taken = this.#taken.get(caller) ?? 0
    if (taken >= this.#limits.perCaller || this.#inAll >= this.#limits.inAll) {
      throw new Refusal('rate_limited', { afterMs: LIMITED_AFTER_MS })
    }
    this.#taken.set(caller, taken + 1)
    this.#inAll++
    return () => {
      const left = (this.#taken.get(caller) ?? 1) - 1
      if (left > 0) this.#taken.set(caller, left)
      else this.#taken.delete(caller)
      this.#inAll--
    }
  }
}
