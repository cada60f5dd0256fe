/**
 * The time after which a call must have no effect. It has passed when it has passed on the system clock or on the monotonic clock:
 * the system clock can be set back, and the monotonic clock can stand still while a machine is suspended.
 */
export class Deadline {
  /** In milliseconds since the Unix epoch. */
  readonly at: number
  readonly #monotonicAt: number

  constructor(at: number) {
    this.at = at
    this.#monotonicAt = performance.now() + at - Date.now()
  }

  get hasPassed(): boolean {
    return this.remainingMs <= 0
  }

  /** The time until the deadline, in milliseconds; 0 or less when it has passed. */
  get remainingMs(): number {
    return Math.min(this.at - Date.now(), this.#monotonicAt - performance.now())
  }
}

/** The deadline passed before COMMIT was sent. The transaction was rolled back or did not begin. Nothing was changed. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError'

  /** `cause` is the failure of the last attempt, if one failed before the deadline. */
  constructor(cause?: unknown) {
    super('The deadline of the call passed before COMMIT was sent. Nothing was changed.', { cause })
  }
}
