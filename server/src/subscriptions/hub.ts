import type { Pool } from '@pointwise/db'
import { OutboxReplay, type ReplayRange } from '../outbox/replay.ts'
import { OutboxTailer, type TailerOptions } from '../outbox/tailer.ts'
import { type StoredEvent, topicsOf } from '../outbox/topics.ts'
import { StreamLimiter, type StreamLimits } from './stream-limits.ts'
import { type ChangeEvent, type EventStream, reconnectRefusal, SubscriberQueue } from './subscriber-queue.ts'

/** No timer runs longer. */
const OPEN_MAX_MS = 2 ** 31 - 1

export interface SubscriptionHubOptions extends TailerOptions {
  limits?: StreamLimits
}

/** What somebody wants to be told of, and for how long. */
export interface SubscribeOptions<Change> {
  /** Against whose limit the stream counts. */
  caller: string
  topics: readonly string[]
  /** What is told of an event of these topics; undefined leaves it out. */
  changeOf: (event: StoredEvent) => Change | undefined
  /** The last event that the reader had: what came after it is told first. Without it, only what comes is told. */
  after?: number | undefined
  /** When the caller's token expires. */
  expiresAt?: Date | undefined
  /** Aborted when the reader has gone. */
  signal?: AbortSignal | undefined
  /** Drops the connection to a reader who does not read. */
  destroyConnection?: (() => void) | undefined
}

/** The streams of this process. One tail reads for all of them, while there are any. */
export class SubscriptionHub {
  readonly #tail: OutboxTailer
  readonly #backlog: OutboxReplay
  readonly #places: StreamLimiter
  readonly #streams = new Set<SubscriberQueue<unknown>>()
  readonly #byTopic = new Map<string, Set<SubscriberQueue<unknown>>>()
  #isClosed = false

  constructor(
    db: Pool,
    {
      limits = { perCaller: Number.POSITIVE_INFINITY, inAll: Number.POSITIVE_INFINITY },
      ...tail
    }: SubscriptionHubOptions = {},
  ) {
    this.#tail = new OutboxTailer(db, tail)
    this.#backlog = new OutboxReplay(db)
    this.#places = new StreamLimiter(limits)
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size
  }

  /** Something was committed by this process. */
  wake(): void {
    this.#tail.wake()
  }

  /** Ends every stream, so that the readers go elsewhere, and opens no more. */
  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams) stream.end(reconnectRefusal())
  }

  /**
   * Opens a stream: whatever is committed from this call on is told, with the place to come back to. Reading it throws
   * `service_busy` when the reader is to come back: the token has expired, the server closes, or too much waits to be read.
   *
   * @throws Refusal rate_limited, service_busy
   * @throws NotResumable
   */
  async open<Change>(wish: SubscribeOptions<Change>): Promise<EventStream<ChangeEvent<Change>>> {
    const { topics, after } = wish
    if (this.#isClosed) throw reconnectRefusal()
    const stream = this.#enter(wish)
    try {
      await this.#tail.caughtUp()
      if (stream.isEnded) throw reconnectRefusal()
      // Until the stream hears, nothing waits: what the tail hands on next lies above its position.
      const { position, highest } = this.#tail
      if (after !== undefined) this.#backlog.check(after, { position, highest })
      stream.startAfter(Math.max(after ?? 0, position))
      this.#hear(stream, topics)
      const isOver = () => stream.isEnded
      return Object.assign(this.#read(stream, { after: after ?? position, throughId: position, topics, isOver }), {
        since: after === undefined ? position : undefined,
        position: () => (stream.isRead ? Math.max(after ?? 0, position, this.#tail.dispatchedThrough) : undefined),
      })
    } catch (error) {
      stream.end()
      throw error
    }
  }

  /** Takes a place, and gives it back when the stream ends, for whichever reason. */
  #enter<Change>({
    caller,
    topics,
    changeOf,
    expiresAt,
    signal,
    destroyConnection,
  }: SubscribeOptions<Change>): SubscriberQueue<Change> {
    const giveBack = this.#places.take(caller)
    const leave = () => stream.end()
    const onEnd = () => {
      clearTimeout(expiry)
      signal?.removeEventListener('abort', leave)
      for (const topic of topics) this.#forget(stream, topic)
      this.#streams.delete(stream)
      if (this.#streams.size === 0) this.#tail.stop()
      giveBack()
    }
    const stream = new SubscriberQueue<Change>({ changeOf, onEnd, destroyConnection })
    if (this.#streams.size === 0) this.#tail.start((events) => this.#tell(events))
    this.#streams.add(stream)
    const expiry =
      expiresAt &&
      setTimeout(() => stream.end(reconnectRefusal()), Math.min(expiresAt.getTime() - Date.now(), OPEN_MAX_MS)).unref()
    signal?.addEventListener('abort', leave)
    if (signal?.aborted) leave()
    return stream
  }

  async *#read<Change>(
    stream: SubscriberQueue<Change>,
    missed: ReplayRange,
  ): AsyncGenerator<ChangeEvent<Change>, void> {
    try {
      for await (const event of this.#backlog.read(missed)) {
        if (stream.isEnded) break
        const change = stream.changeOf(event)
        if (change !== undefined) yield { id: event.id, change }
      }
      yield* stream.read()
    } finally {
      stream.end()
    }
  }

  #tell(events: StoredEvent[]): void {
    for (const event of events) {
      for (const topic of topicsOf(event)) for (const stream of this.#byTopic.get(topic) ?? []) stream.push(event)
    }
  }

  #hear(stream: SubscriberQueue<unknown>, topics: readonly string[]): void {
    for (const topic of topics) {
      const streams = this.#byTopic.get(topic) ?? new Set()
      this.#byTopic.set(topic, streams.add(stream))
    }
  }

  #forget(stream: SubscriberQueue<unknown>, topic: string): void {
    const streams = this.#byTopic.get(topic)
    if (streams?.delete(stream) && streams.size === 0) this.#byTopic.delete(topic)
  }
}
