import type { StoredEvent } from '../outbox/topics.ts'
import { serviceBusy } from '../refusals.ts'

/** Whoever lets more than this wait reads too slowly. */
const WAITING_MAX = 1_024
/** How long it may take until why it ended is read. */
const LAST_WORD_MS = 1_000

/** A change, and the id of the event that tells of it. */
export interface ChangeEvent<Change> {
  id: number
  change: Change
}

/** What one reader is told, and how far. */
export interface EventStream<Item> extends AsyncGenerator<Item, void> {
  /** The event behind which it began, where the reader named none. */
  since: number | undefined
  /** Nothing up to here is left to be told; undefined while something is. */
  position: () => number | undefined
}

/** Why a stream ends where the reader is to come back: nothing is lost, and the same call with the last id goes on. */
export const reconnectRefusal = () => serviceBusy()

export interface SubscriberQueueOptions<Change> {
  /** What is told of an event; undefined leaves it out. */
  changeOf: (event: StoredEvent) => Change | undefined
  /** Called once, however it ends. */
  onEnd: () => void
  /** Drops the connection to a reader who does not even read why it ended. */
  destroyConnection?: (() => void) | undefined
}

/** What somebody who reads has not read yet, in order; bounded. */
export class SubscriberQueue<Change> {
  readonly changeOf: SubscriberQueueOptions<Change>['changeOf']
  readonly #onEnd: () => void
  readonly #hangUp: (() => void) | undefined
  #last = 0
  #waiting: ChangeEvent<Change>[] = []
  #wanted: PromiseWithResolvers<void> | undefined
  #end: { reason: unknown } | undefined

  constructor({ changeOf, onEnd, destroyConnection }: SubscriberQueueOptions<Change>) {
    this.changeOf = changeOf
    this.#onEnd = onEnd
    this.#hangUp = destroyConnection
  }

  get isEnded(): boolean {
    return this.#end !== undefined
  }

  /** Whether all that came was told, and whoever reads waits for more. */
  get isRead(): boolean {
    return this.#wanted !== undefined && this.#waiting.length === 0
  }

  /** Takes in nothing up to this id. */
  startAfter(id: number): void {
    this.#last = id
  }

  /** Takes in an event, once. */
  push(event: StoredEvent): void {
    if (this.#end || event.id <= this.#last) return
    this.#last = event.id
    const change = this.changeOf(event)
    if (change === undefined) return
    if (this.#waiting.length === WAITING_MAX) {
      this.end(reconnectRefusal())
      return
    }
    this.#waiting.push({ id: event.id, change })
    this.#wanted?.resolve()
  }

  /** Ends it at once: what waits is not read any more, and reading throws `reason`, where one is given. */
  end(reason?: unknown): void {
    if (this.#end) return
    this.#end = { reason }
    this.#waiting = []
    this.#wanted?.resolve()
    if (reason !== undefined && this.#hangUp) setTimeout(this.#hangUp, LAST_WORD_MS).unref()
    this.#onEnd()
  }

  /** Reads until it is ended. */
  async *read(): AsyncGenerator<ChangeEvent<Change>, void> {
    while (!this.#end) {
      const told = this.#waiting.shift()
      if (told) {
        yield told
        continue
      }
      this.#wanted = Promise.withResolvers()
      await this.#wanted.promise
      this.#wanted = undefined
    }
    if (this.#end.reason !== undefined) throw this.#end.reason
  }
}
