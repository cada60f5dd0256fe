import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '@pointwise/db'
import { cursorOf } from '../outbox/cursor-names.ts'
import { OutboxReader, type RowQueries } from '../outbox/outbox-reader.ts'
import { deleteExpiredEvents } from '../outbox/retention.ts'
import { BatchPublisher } from './batch-publisher.ts'
import type { RelayEvent } from './kafka-message.ts'
import type { KafkaPublisher } from './kafka-publisher.ts'
import { acquireLease, LEASE_MS, type Lease, LeaseLostError } from './lease.ts'
import * as queries from './queries.ts'
import { RelayLog, type RelayLogger } from './relay-log.ts'
import { RelayStatus } from './relay-status.ts'

/** How often a process without the lease tries to acquire it. */
const CHALLENGE_MS = 1_000
/** How long a holder that cannot continue leaves the lease to other processes. */
const STEP_BACK_MS = 5_000
/** How long a request of a former holder can still reach the cluster, after its lease has expired. */
const LATE_REQUEST_MS = 10_000
/** A page that is read sooner holds fewer events, and each page costs a COMMIT that payments share. */
const POLL_MS_MIN = 50
const POLL_MS_MAX = 200
const STATUS_MS = 1_000
/** How often old events are deleted. */
const RETENTION_MS = 600_000
/** How long a batch that is being published delays `stop`. */
const STOP_MS = 2_000

/** An uncommitted event is waited for, however long its transaction takes. */
const GAP_TIMEOUTS = { emptyMs: 1_000, uncommittedMs: Number.POSITIVE_INFINITY }

const RELAY_EVENTS: RowQueries<RelayEvent> = {
  after: (db, page) => queries.selectRelayEventsAfter(db, page).execute(),
  within: (db, ranges) => queries.selectRelayEventsWithin(db, ranges).execute(),
}

export interface RelayOptions {
  /** A pool of its own with three connections, so that the relay takes none from calls. */
  db: Pool
  publisher: KafkaPublisher
  topic: string
  /** After how many days published events are deleted; 0: never. */
  retentionDays: number
  logger: RelayLogger
}

/** Who holds a lease, for operators. */
const owner = `${hostname()}:${process.pid}`.replaceAll(/[^\x21-\x7e]/g, '?').slice(-64)

/**
 * Publishes the events of the outbox to a Kafka topic: see docs/events.md. Of all processes with a relay, one at a time
 * publishes, the holder of the lease of the topic's cursor.
 */
export class OutboxRelay {
  readonly status = new RelayStatus()
  readonly #db: Pool
  readonly #publisher: KafkaPublisher
  readonly #cursor: string
  readonly #retentionDays: number
  readonly #log: RelayLog
  readonly #batches: BatchPublisher
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Aborted to end the pause before the next poll. Signals since the last poll began are not lost. */
  #waking = new AbortController()
  #statusReadAt = 0

  constructor({ db, publisher, topic, retentionDays, logger }: RelayOptions) {
    this.#db = db
    this.#publisher = publisher
    this.#cursor = cursorOf(topic)
    this.#retentionDays = retentionDays
    const { status } = this
    this.#log = new RelayLog(logger, { topic, status })
    this.#batches = new BatchPublisher({ publisher, status, log: this.#log, stopping: this.#stopping.signal })
  }

  /** Publishes events until `stop` is called. Failures are logged, and what failed is tried again. */
  start(): void {
    this.#running = this.#run()
  }

  /** Polls soon, if this process publishes. Call it after a COMMIT of any process. */
  wake(): void {
    this.#waking.abort()
  }

  /** Stops after the batch that is being published, and releases the lease, so that another process continues at once. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    const timer = setTimeout(() => this.#publisher.interrupt(), STOP_MS)
    await this.#running
    clearTimeout(timer)
    await this.#publisher.close()
  }

  /**
   * Waits for the lease, publishes every event that is committed, and returns how many were published.
   *
   * @throws UnpublishableEventError, and the errors of the database and of the cluster
   */
  async drain(): Promise<number> {
    const lease = await this.#waitForLease()
    try {
      const { newestId } = await this.#backlog()
      await this.#publishFrom(lease, { through: newestId ?? lease.position })
    } finally {
      await lease.release()
    }
    return this.status.published
  }

  /**
   * Takes the lease, publishes events again that were published before, and returns how many. The cursor does not move. If
   * another process held the lease, the call first waits until no request of that process can follow.
   *
   * @throws Error if an event of the range has been deleted
   * @throws UnpublishableEventError, and the errors of the database and of the cluster
   */
  async republish({ from, to }: { from: number; to?: number | undefined }): Promise<number> {
    const lease = await this.#waitForLease({ force: true })
    try {
      const { horizon } = await this.#backlog()
      if (from <= (horizon ?? 0)) {
        throw new Error(`The events up to ${horizon} have been deleted. Begin with an event above ${horizon}.`)
      }
      if (lease.takenFrom !== null) await this.#pause(LEASE_MS + LATE_REQUEST_MS)
      const through = Math.min(to ?? lease.position, lease.position)
      const reader = this.#readerFrom(from - 1)
      while (reader.position < through && !this.#stopping.signal.aborted) {
        const { rows, hasMore } = await reader.read()
        const wanted = rows.filter(({ id }) => id <= through)
        await this.#batches.publish(wanted, lease, async () => lease.requireValid())
        if (!hasMore) await this.#pause(POLL_MS_MIN)
      }
    } finally {
      await lease.release()
    }
    return this.status.published
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      let pauseMs = CHALLENGE_MS
      try {
        await this.#readStatus()
        const lease = await acquireLease(this.#db, { name: this.#cursor, owner })
        if (lease) {
          pauseMs = STEP_BACK_MS
          await this.#hold(lease)
        }
      } catch (error) {
        if (error instanceof LeaseLostError) pauseMs = CHALLENGE_MS
        this.#log.failed(error)
      }
      await this.#pause(pauseMs)
    }
  }

  async #hold(lease: Lease): Promise<void> {
    this.#log.acquired(lease)
    this.status.isHolder = true
    const held = new AbortController()
    const retaining = this.#deleteOldEvents(AbortSignal.any([held.signal, this.#stopping.signal]))
    try {
      await this.#publishFrom(lease, { through: Number.POSITIVE_INFINITY })
    } finally {
      this.status.isHolder = false
      held.abort()
      await lease.release()
      await retaining
    }
  }

  /** Deletes what is due, at once and then regularly, until the signal is aborted. */
  async #deleteOldEvents(signal: AbortSignal): Promise<void> {
    const options = { retentionDays: this.#retentionDays, signal, onWarning: this.#log.retentionWarning }
    while (!signal.aborted) {
      await deleteExpiredEvents(this.#db, options).catch(this.#log.retentionFailed)
      await delay(RETENTION_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /**
   * Publishes the events after the cursor up to `through`, or until the relay is stopped. The next page is read while one is
   * being published.
   */
  async #publishFrom(lease: Lease, { through }: { through: number }): Promise<void> {
    if (lease.position >= through) return
    const reader = this.#readerFrom(lease.position)
    const read = () => {
      this.#waking = new AbortController()
      const page = reader.read()
      // The loop awaits it later. Without a handler, its failure would end the process before.
      page.catch(() => undefined)
      return page
    }
    let next = read()
    let pollMs = POLL_MS_MIN
    try {
      while (!this.#stopping.signal.aborted) {
        lease.requireValid()
        const { rows, hasMore } = await next
        const { position } = reader
        if (hasMore) next = read()
        await this.#batches.publish(rows, lease, (throughId) => lease.advance(throughId))
        await this.#readStatus()
        if (position >= through) return
        if (hasMore) continue
        pollMs = rows.length > 0 ? POLL_MS_MIN : Math.min(POLL_MS_MAX, pollMs * 1.5)
        await this.#pause(POLL_MS_MIN)
        await this.#pause(pollMs - POLL_MS_MIN, this.#waking.signal)
        next = read()
      }
    } finally {
      await next.catch(() => undefined)
    }
  }

  #readerFrom(position: number): OutboxReader<RelayEvent> {
    return new OutboxReader(this.#db, position, { rows: RELAY_EVENTS, gapTimeouts: GAP_TIMEOUTS })
  }

  async #waitForLease({ force = false } = {}): Promise<Lease> {
    while (!this.#stopping.signal.aborted) {
      const lease = await acquireLease(this.#db, { name: this.#cursor, owner, force })
      if (lease) return lease
      await this.#pause(CHALLENGE_MS)
    }
    throw new Error('The relay was stopped before it acquired the lease.')
  }

  #backlog() {
    return queries.selectBacklog(this.#db, this.#cursor).executeTakeFirstOrThrow()
  }

  async #readStatus(): Promise<void> {
    if (performance.now() - this.#statusReadAt < STATUS_MS) return
    await this.status.read(this.#db, this.#cursor)
    this.#statusReadAt = performance.now()
  }

  async #pause(milliseconds: number, signal: AbortSignal = this.#stopping.signal): Promise<void> {
    await delay(milliseconds, undefined, { signal }).catch(() => undefined)
  }
}
