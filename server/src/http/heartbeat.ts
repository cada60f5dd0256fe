import type { ServerResponse } from 'node:http'
import { PING_MS } from '../trpc.ts'

const TICK_MS = 1_000
const PING = 'event: ping\ndata: \n\n\n'

/** Tells those who read streams on which nothing happens that they are still connected: one timer for all. */
export class Heartbeat {
  readonly #wroteAt = new Map<ServerResponse, number>()
  #timer: NodeJS.Timeout | undefined

  /** Notes that something was written, so that the next ping is as far off as can be. */
  beat(response: ServerResponse): void {
    this.#wroteAt.set(response, performance.now())
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  stop(response: ServerResponse): void {
    this.#wroteAt.delete(response)
    if (this.#wroteAt.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    for (const [response, wroteAt] of this.#wroteAt) {
      if (now - wroteAt < PING_MS) continue
      this.#wroteAt.set(response, now)
      // Whoever does not read needs no more of them.
      if (!response.writableNeedDrain) response.write(PING)
    }
  }
}
