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
    return Date.now() >= this.at || performance.now() >= this.#monotonicAt
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
