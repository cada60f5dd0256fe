import type { StoredEvent } from '../outbox/events.ts'
import { serviceBusy } from '../refusals.ts'

/** A client with more unread items than this is disconnected. */
const PENDING_MAX = 1_024
/** Time a slow reader has to receive the final error before its connection is destroyed. */
const FINAL_ERROR_MS = 1_000

/** The error of a stream that the client should reopen with the last id it received. Nothing is lost. */
export const reconnectRefusal = () => serviceBusy()

export interface SubscriberQueueOptions<Item> {
  /** Returns what the client receives for an event; undefined to omit the event. */
  toItem: (event: StoredEvent) => Item | undefined
  /** Called once, when the queue ends for whichever reason. */
  onEnd: () => void
  /** Destroys the connection of a client that does not read the final error. */
  destroyConnection?: (() => void) | undefined
}

/** The items that one client has not read yet, in order. Bounded: a client that reads too slowly is asked to reconnect. */
export class SubscriberQueue<Item> {
  readonly #toItem: SubscriberQueueOptions<Item>['toItem']
  readonly #onEnd: () => void
  readonly #destroyConnection: (() => void) | undefined
  #lastId = 0
  #pending: Item[] = []
  #waitingReader: PromiseWithResolvers<void> | undefined
  #end: { error: unknown } | undefined

  constructor({ toItem, onEnd, destroyConnection }: SubscriberQueueOptions<Item>) {
    this.#toItem = toItem
    this.#onEnd = onEnd
    this.#destroyConnection = destroyConnection
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  /** Whether the client has read every item and waits for the next. */
  get isDrained(): boolean {
    return this.#waitingReader !== undefined && this.#pending.length === 0
  }

  /** Ignores events up to this id. */
  startAfter(id: number): void {
    this.#lastId = id
  }

  /** Adds an event. Adding it again has no effect. */
  push(event: StoredEvent): void {
    if (this.#end || event.id <= this.#lastId) return
    this.#lastId = event.id
    const item = this.#toItem(event)
    if (item === undefined) return
    if (this.#pending.length === PENDING_MAX) {
      this.end(reconnectRefusal())
      return
    }
    this.#pending.push(item)
    this.#waitingReader?.resolve()
  }

  /** Ends the queue at once and discards pending items. `read` throws the error, or returns if there is none. */
  end(error?: unknown): void {
    if (this.#end) return
    this.#end = { error }
    this.#pending = []
    this.#waitingReader?.resolve()
    if (error !== undefined && this.#destroyConnection) setTimeout(this.#destroyConnection, FINAL_ERROR_MS).unref()
    this.#onEnd()
  }

  /** Yields items until the queue ends. Only one reader is supported. */
  async *read(): AsyncGenerator<Item, void> {
    while (!this.#end) {
      const item = this.#pending.shift()
      if (item !== undefined) {
        yield item
        continue
      }
      this.#waitingReader = Promise.withResolvers()
      await this.#waitingReader.promise
      this.#waitingReader = undefined
    }
    if (this.#end.error !== undefined) throw this.#end.error
  }
}
