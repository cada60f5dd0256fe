import type { ServerResponse } from 'node:http'
import { PING_MS } from '../../rpc/init.ts'
import type { EventStream } from '../../subscriptions/hub.ts'

const TICK_MS = 1_000

interface StreamState extends Pick<EventStream<unknown>, 'position'> {
  lastWriteAt: number
}

/** Sends pings on idle streams, so that clients know that they are still connected. All streams share one timer. */
export class SseHeartbeat {
  readonly #streams = new Map<ServerResponse, StreamState>()
  #timer: NodeJS.Timeout | undefined

  /** Starts pings. Each contains the position of the stream, so that a client can resume without having had an event. */
  start(response: ServerResponse, position: StreamState['position']): void {
    this.#streams.set(response, { lastWriteAt: performance.now(), position })
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Records a write, which postpones the next ping. */
  beat(response: ServerResponse): void {
    const stream = this.#streams.get(response)
    if (stream) stream.lastWriteAt = performance.now()
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
      if (now - stream.lastWriteAt < PING_MS) continue
      stream.lastWriteAt = now
      // A client that does not read would only accumulate pings in the server's buffer.
      if (!response.writableNeedDrain) response.write(`event: ping\ndata: \n${idLine(stream.position())}\n\n`)
    }
  }
}

/** Returns the `id:` line of a server-sent event, or nothing when there is no id. */
export function idLine(id: number | string | undefined): string {
  return id === undefined ? '' : `id: ${id}\n`
}
