import type { Db } from '@pointwise/db'
import { Backlog, type Stretch } from '../outbox/replay.ts'
import { Tail, type TailOptions } from '../outbox/tailer.ts'
import { type LiveEvent, topicsOf } from '../outbox/topics.ts'
import { Places, type StreamLimits } from './stream-limits.ts'
import { comeBack, Stream, type Telling, type Told } from './subscriber-queue.ts'

/** No timer runs longer. */
const OPEN_MAX_MS = 2 ** 31 - 1

export interface LiveOptions extends TailOptions {
  limits?: StreamLimits
}

/** What somebody wants to be told of, and for how long. */
export interface Wish<Change> {
  /** Against whose limit the stream counts. */
  caller: string
  topics: readonly string[]
  /** What is told of an event of these topics; undefined leaves it out. */
  changeOf: (event: LiveEvent) => Change | undefined
  /** The last event that the reader had: what came after it is told first. Without it, only what comes is told. */
  after?: number | undefined
  /** When the caller's token expires. */
  expiresAt?: Date | undefined
  /** Aborted when the reader has gone. */
  signal?: AbortSignal | undefined
  /** Drops the connection to a reader who does not read. */
  hangUp?: (() => void) | undefined
}

/** The streams of this process. One tail reads for all of them, while there are any. */
export class Live {
  readonly #tail: Tail
  readonly #backlog: Backlog
  readonly #places: Places
  readonly #streams = new Set<Stream<unknown>>()
  readonly #byTopic = new Map<string, Set<Stream<unknown>>>()
  #isClosed = false

  constructor(
    db: Db,
    { limits = { perCaller: Number.POSITIVE_INFINITY, inAll: Number.POSITIVE_INFINITY }, ...tail }: LiveOptions = {},
  ) {
    this.#tail = new Tail(db, tail)
    this.#backlog = new Backlog(db)
    this.#places = new Places(limits)
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
    for (const stream of this.#streams) stream.end(comeBack())
  }

  /**
   * Opens a stream: whatever is committed from this call on is told, with the place to come back to. Reading it throws
   * `service_busy` when the reader is to come back: the token has expired, the server closes, or too much waits to be read.
   *
   * @throws Refusal rate_limited, service_busy
   * @throws NotResumable
   */
  async open<Change>(wish: Wish<Change>): Promise<Telling<Told<Change>>> {
    const { topics, after } = wish
    if (this.#isClosed) throw comeBack()
    const stream = this.#enter(wish)
    try {
      await this.#tail.caughtUp()
      if (stream.isEnded) throw comeBack()
      // Until the stream hears, nothing waits: what the tail hands on next lies above its position.
      const { position, highest } = this.#tail
      if (after !== undefined) this.#backlog.check(after, { position, highest })
      stream.startAfter(Math.max(after ?? 0, position))
      this.#hear(stream, topics)
      const isOver = () => stream.isEnded
      return Object.assign(this.#read(stream, { after: after ?? position, upTo: position, topics, isOver }), {
        since: after === undefined ? position : undefined,
        position: () => (stream.isRead ? Math.max(after ?? 0, position, this.#tail.handedOn) : undefined),
      })
    } catch (error) {
      stream.end()
      throw error
    }
  }

  /** Takes a place, and gives it back when the stream ends, for whichever reason. */
  #enter<Change>({ caller, topics, changeOf, expiresAt, signal, hangUp }: Wish<Change>): Stream<Change> {
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
    const stream = new Stream<Change>({ changeOf, onEnd, hangUp })
    if (this.#streams.size === 0) this.#tail.start((events) => this.#tell(events))
    this.#streams.add(stream)
    const expiry =
      expiresAt &&
      setTimeout(() => stream.end(comeBack()), Math.min(expiresAt.getTime() - Date.now(), OPEN_MAX_MS)).unref()
    signal?.addEventListener('abort', leave)
    if (signal?.aborted) leave()
    return stream
  }

  async *#read<Change>(stream: Stream<Change>, missed: Stretch): AsyncGenerator<Told<Change>, void> {
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

  #tell(events: LiveEvent[]): void {
    for (const event of events) {
      for (const topic of topicsOf(event)) for (const stream of this.#byTopic.get(topic) ?? []) stream.push(event)
    }
  }

  #hear(stream: Stream<unknown>, topics: readonly string[]): void {
    for (const topic of topics) {
      const streams = this.#byTopic.get(topic) ?? new Set()
      this.#byTopic.set(topic, streams.add(stream))
    }
  }

  #forget(stream: Stream<unknown>, topic: string): void {
    const streams = this.#byTopic.get(topic)
    if (streams?.delete(stream) && streams.size === 0) this.#byTopic.delete(topic)
  }
}
