/** An attempt of a mutation that was sent. */
export interface SentAttempt {
  /** The server does not begin or commit the attempt after this time, by its own clock. */
  readonly deadline: number
  /** Whether it is known that the attempt has no effect, or the outcome of its call is known. */
  isDecided: boolean
}

/** From this number of calls on, those whose deadlines passed long ago are removed. */
const CALLS_MAX = 1_000
const FORGET_AFTER_MS = 600_000

/**
 * The attempts that were sent and whose effect is not known, by their call: its procedure and its idempotency key or its order. A call
 * that is repeated with another client of this process, or after it failed, continues the same list.
 */
export class UndecidedAttempts {
  readonly #attempts = new Map<string, SentAttempt[]>()

  /** Adds an attempt, and returns it with those that were sent before it. */
  add(call: string, deadline: number): { attempt: SentAttempt; earlier: SentAttempt[] } {
    this.#removeForgotten(deadline)
    const earlier = this.#attempts.get(call) ?? []
    const attempt = { deadline, isDecided: false }
    this.#attempts.set(call, [...earlier, attempt])
    return { attempt, earlier }
  }

  /** The attempts of a call whose effect is not known. */
  of(call: string): SentAttempt[] {
    return this.#attempts.get(call) ?? []
  }

  /** The attempt has no effect. */
  decide(call: string, attempt: SentAttempt): void {
    attempt.isDecided = true
    const others = this.#attempts.get(call)?.filter(({ isDecided }) => !isDecided) ?? []
    if (others.length > 0) this.#attempts.set(call, others)
    else this.#attempts.delete(call)
  }

  /** The outcome of the call is known. */
  decideAll(call: string): void {
    for (const attempt of this.#attempts.get(call) ?? []) attempt.isDecided = true
    this.#attempts.delete(call)
  }

  #removeForgotten(now: number): void {
    if (this.#attempts.size < CALLS_MAX) return
    for (const [call, attempts] of this.#attempts) {
      if (attempts.every(({ deadline }) => deadline < now - FORGET_AFTER_MS)) this.#attempts.delete(call)
    }
  }
}
