import { Refusal } from '../refusals.ts'

export const WINDOW_MS = 60_000
/** Bounds the memory of the limiter to about 20 MB. Beyond this number of keys, the older half is dropped. */
const KEYS_MAX = 200_000

/** A monotonic clock, in milliseconds. */
interface Clock {
  now: () => number
}

type Windows = Map<string, { calls: number; endsAt: number }>

/**
 * A fixed-window rate limiter. The window of a key starts with its first call and lasts one minute. Keys are stored in two
 * generations, each of which is dropped as a whole, so that expiry needs neither a timer nor a scan.
 */
export class RateLimiter {
  readonly callsPerMinute: number
  readonly #clock: Clock
  #current: Windows = new Map()
  #previous: Windows = new Map()
  #currentSince: number

  constructor(callsPerMinute: number, clock: Clock = performance) {
    this.callsPerMinute = callsPerMinute
    this.#clock = clock
    this.#currentSince = clock.now()
  }

  /** The number of keys in memory. */
  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /** @throws Refusal rate_limited, with the milliseconds until the window of the key ends */
  consume(key: string): void {
    const now = this.#clock.now()
    this.#rotate(now)
    const window = this.#current.get(key) ?? this.#previous.get(key)
    if (!window || window.endsAt <= now) this.#current.set(key, { calls: 1, endsAt: now + WINDOW_MS })
    else if (window.calls < this.callsPerMinute) window.calls++
    else throw new Refusal('rate_limited', { afterMs: Math.ceil(window.endsAt - now) })
  }

  /** Drops the previous generation. A window that is still open is always in the current generation or the previous one. */
  #rotate(now: number): void {
    if (now - this.#currentSince < WINDOW_MS && this.#current.size < KEYS_MAX / 2) return
    this.#previous = now - this.#currentSince < 2 * WINDOW_MS ? this.#current : new Map()
    this.#current = new Map()
    this.#currentSince = now
  }
}
