import { runApart } from '../redis/call-wait.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'

const CHANNEL = 'commits'
/** The shortest interval between two messages of a process. It is the shortest interval between two polls of the outbox, too. */
const INTERVAL_MS = 10

/**
 * Signals that events may have been committed, so that the outbox is polled at once. Polling finds them in any case, a moment
 * later: a signal may be lost, and may concern nothing.
 */
export class CommitSignal {
  readonly #redis: RedisConnection | undefined
  readonly #listeners: (() => void)[] = []
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** With Redis, the signal reaches every process. */
  constructor(redis?: RedisConnection | undefined) {
    this.#redis = redis
    redis?.subscribe(CHANNEL, () => this.#notify())
  }

  /** Calls the listener after each signal, of this process or of another one. */
  on(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Call it after a COMMIT. Other processes are notified at once, and then at most once in ten milliseconds. */
  send(): void {
    this.#notify()
    if (!this.#redis || this.#timer) return
    const waitMs = this.#sentAt + INTERVAL_MS - performance.now()
    if (waitMs <= 0) this.#publish()
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#publish()
      }, waitMs).unref()
    }
  }

  #publish(): void {
    this.#sentAt = performance.now()
    runApart(() => void this.#redis?.publish(CHANNEL))
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}
