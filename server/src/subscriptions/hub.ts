import type { Pool } from '@pointwise/db'
import { CommitSignal } from '../outbox/commit-signal.ts'
import type { StoredEvent } from '../outbox/events.ts'
import { OutboxReplay, type ReplayRange } from '../outbox/replay.ts'
import { OutboxTailer, type TailerOptions } from '../outbox/tailer.ts'
import { topicsOf } from '../outbox/topics.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'
import { Refusal } from '../refusals.ts'
import { StreamLimiter, type StreamLimits } from './stream-limits.ts'
import { reconnectRefusal, SubscriberQueue, type SubscriberQueueOptions } from './subscriber-queue.ts'

/** The longest delay that `setTimeout` supports. */
const TIMER_MAX_MS = 2 ** 31 - 1

export interface SubscriptionHubOptions extends TailerOptions {
  limits?: StreamLimits
  /** Defaults to a signal that only `wake` sends. */
  commits?: CommitSignal | undefined
  redis?: RedisConnection | undefined
}

export interface SubscribeOptions<Item> extends Pick<SubscriberQueueOptions<Item>, 'toItem' | 'destroyConnection'> {
  /** The user or address against whose limit the stream counts. */
  caller: string
  /** The topics whose events the stream contains. */
  topics: readonly string[]
  /** The last event that the client received: the stream starts with the next one. By default only new events are delivered. */
  after?: number | undefined
  /** When the caller's token expires. The stream ends then. */
  expiresAt?: Date | undefined
  /** Aborted when the client disconnects. */
  signal?: AbortSignal | undefined
}

/** The items of one subscription, and the event ids from which a client can resume although it has received no item. */
export interface EventStream<Item> extends AsyncGenerator<Item, void> {
  /** The id after which the stream starts; undefined if the client named it. */
  since: number | undefined
  /** Returns the id up to which everything has been delivered; undefined while items are pending. */
  position: () => number | undefined
}

/** The subscriptions of this process. They share one tailer, which polls while there is at least one. */
export class SubscriptionHub {
  readonly #tailer: OutboxTailer
  readonly #replay: OutboxReplay
  readonly #limiter: StreamLimiter
  readonly #commits: CommitSignal
  readonly #queues = new Set<SubscriberQueue<unknown>>()
  readonly #queuesByTopic = new Map<string, Set<SubscriberQueue<unknown>>>()
  #isClosed = false

  constructor(
    db: Pool,
    {
      limits = { perCaller: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY },
      commits = new CommitSignal(),
      redis,
      ...tailerOptions
    }: SubscriptionHubOptions = {},
  ) {
    this.#tailer = new OutboxTailer(db, tailerOptions)
    this.#replay = new OutboxReplay(db)
    this.#limiter = new StreamLimiter(limits, redis)
    this.#commits = commits
    commits.on(() => this.#tailer.wake())
  }

  /** The number of open streams. */
  get size(): number {
    return this.#queues.size
  }

  /** Delivers new events soon, on every server that receives the signal. Call it after this process has committed. */
  wake(): void {
    this.#commits.send()
  }

  /** Ends every stream, so that the clients reconnect to another server, and refuses new ones. */
  close(): void {
    this.#isClosed = true
    this.#endAll(reconnectRefusal())
  }

  /**
   * Opens a stream of everything that is committed after this call, preceded by what follows `after`. Reading the stream throws
   * `service_busy` when the client should reconnect: its token has expired, the server is closing, or it reads too slowly. It
   * throws `not_resumable` when events of the stream were deleted before they were read.
   *
   * @throws Refusal rate_limited, service_busy, not_resumable
   */
  async subscribe<Item>(options: SubscribeOptions<Item>): Promise<EventStream<Item>> {
    if (this.#isClosed) throw reconnectRefusal()
    const queue = this.#open(options, await this.#limiter.acquire(options.caller))
    try {
      await this.#tailer.caughtUp()
      if (queue.isEnded) throw reconnectRefusal()
      const { topics, toItem } = options
      const { position, highestId } = this.#tailer
      const after = options.after ?? position
      // The replay ends where the tailer is. From here on, the tailer dispatches only events above its position.
      queue.startAfter(Math.max(after, position))
      this.#addToTopics(queue, topics)
      if (options.after !== undefined) await this.#replay.check(after, { position, highestId })
      const range = { after, throughId: position, topics, isEnded: () => queue.isEnded }
      return Object.assign(this.#read(queue, toItem, range), {
        since: options.after === undefined ? position : undefined,
        position: () => (queue.isDrained ? Math.max(after, position, this.#tailer.dispatchedThrough) : undefined),
      })
    } catch (error) {
      queue.end()
      throw error
    }
  }

  /** Opens a queue that releases the stream when it ends. It ends on expiry or disconnection. */
  #open<Item>(options: SubscribeOptions<Item>, release: () => void): SubscriberQueue<Item> {
    const { topics, toItem, expiresAt, signal, destroyConnection } = options
    const onAbort = () => queue.end()
    const onEnd = () => {
      clearTimeout(expiry)
      signal?.removeEventListener('abort', onAbort)
      this.#removeFromTopics(queue, topics)
      this.#queues.delete(queue)
      if (this.#queues.size === 0) this.#tailer.stop()
      release()
    }
    const queue = new SubscriberQueue<Item>({ toItem, onEnd, destroyConnection })
    if (this.#queues.size === 0) this.#startTailer()
    this.#queues.add(queue)
    const expiry =
      expiresAt &&
      setTimeout(() => queue.end(reconnectRefusal()), Math.min(expiresAt.getTime() - Date.now(), TIMER_MAX_MS)).unref()
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    // The server may have closed while the stream was counted.
    if (this.#isClosed) queue.end(reconnectRefusal())
    return queue
  }

  async *#read<Item>(
    queue: SubscriberQueue<Item>,
    toItem: (event: StoredEvent) => Item | undefined,
    missed: ReplayRange,
  ): AsyncGenerator<Item, void> {
    try {
      for await (const event of this.#replay.read(missed)) {
        if (queue.isEnded) break
        const item = toItem(event)
        if (item !== undefined) yield item
      }
      yield* queue.read()
    } finally {
      queue.end()
    }
  }

  #startTailer(): void {
    this.#tailer.start({
      onEvents: (events) => this.#dispatch(events),
      onMissed: () => this.#endAll(new Refusal('not_resumable')),
    })
  }

  #endAll(error: Refusal): void {
    for (const queue of this.#queues) queue.end(error)
  }

  #dispatch(events: StoredEvent[]): void {
    for (const event of events) {
      for (const topic of topicsOf(event.payload)) {
        for (const queue of this.#queuesByTopic.get(topic) ?? []) queue.push(event)
      }
    }
  }

  #addToTopics(queue: SubscriberQueue<unknown>, topics: readonly string[]): void {
    for (const topic of topics) {
      const queues = this.#queuesByTopic.get(topic) ?? new Set()
      this.#queuesByTopic.set(topic, queues.add(queue))
    }
  }

  #removeFromTopics(queue: SubscriberQueue<unknown>, topics: readonly string[]): void {
    for (const topic of topics) {
      const queues = this.#queuesByTopic.get(topic)
      if (queues?.delete(queue) && queues.size === 0) this.#queuesByTopic.delete(topic)
    }
  }
}
