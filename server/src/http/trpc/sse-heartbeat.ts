import type { ServerResponse } from 'node:http'
import { PING_MS } from '../../rpc/init.ts'
import type { EventStream } from '../../subscriptions/hub.ts'

const TICK_MS = 1_000

interface Beating extends Pick<EventStream<unknown>, 'position'> {
  wroteAt: number
}

/** Tells those who read streams on which nothing happens that they are still connected: one timer for all. */
export class SseHeartbeat {
  readonly #streams = new Map<ServerResponse, Beating>()
  #timer: NodeJS.Timeout | undefined

  /** From now on there are pings, which tell the position, so that whoever comes back need not have had an event. */
  start(response: ServerResponse, position: Beating['position']): void {
    this.#streams.set(response, { wroteAt: performance.now(), position })
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Notes that something was written, so that the next ping is as far off as can be. */
  beat(response: ServerResponse): void {
    const stream = this.#streams.get(response)
    if (stream) stream.wroteAt = performance.now()
  }

  stop(response: ServerResponse): void {
    this.#streams.delete(response)
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    for (const [response, stream] of this.#streams) {
      if (now - stream.wroteAt < PING_MS) continue
      stream.wroteAt = now
      // Whoever does not read needs no more of them.
      if (!response.writableNeedDrain) response.write(`event: ping\ndata: \n${idLine(stream.position())}\n\n`)
    }
  }
}

/** The line of a server-sent event that tells the id to come back with. */
export function idLine(id: number | string | undefined): string {
  return id === undefined ? '' : `id: ${id}\n`
}
