import { setTimeout as delay } from 'node:timers/promises'
import { decodeEvent } from '../outbox/decode-event.ts'
import type { RelayEvent } from './kafka-message.ts'
import { type KafkaPublisher, RejectedByBrokerError } from './kafka-publisher.ts'
import type { Lease } from './lease.ts'
import type { RelayLog } from './relay-log.ts'
import type { RelayStatus } from './relay-status.ts'
import { UnpublishableEventError } from './unpublishable-event-error.ts'

/** After this time of failed attempts, another process may reach the cluster. */
const FAILING_MS_MAX = 30_000
const RETRY_MS = 100
const RETRY_MS_MAX = 1_000
const BATCH_LENGTH = 1_000
/** In characters. Kafka accepts 1 MiB in one batch by default. */
const BATCH_PAYLOAD_MAX = 400_000

export interface BatchPublisherOptions {
  publisher: KafkaPublisher
  status: RelayStatus
  log: RelayLog
  /** Aborted when the relay is stopped: no further attempt begins. */
  stopping: AbortSignal
}

/** Publishes batches of events for the holder of a lease, and repeats what fails. */
export class BatchPublisher {
  readonly #options: BatchPublisherOptions

  constructor(options: BatchPublisherOptions) {
    this.#options = options
  }

  /**
   * Publishes events in their order, in batches, and calls `onPublished` after each with the id of its last event.
   *
   * @throws UnpublishableEventError after the events before it were published
   * @throws LeaseLostError
   * @throws Error if the cluster has not acknowledged for a long time
   */
  async publish(
    rows: readonly RelayEvent[],
    lease: Lease,
    onPublished: (throughId: number) => Promise<void>,
  ): Promise<void> {
    for (const batch of batchesOf(rows)) {
      if (this.#options.stopping.aborted) return
      const problems = batch.map((event) => decodeEvent(event).expected)
      const index = problems.findIndex((expected) => expected !== undefined)
      const publishable = index === -1 ? batch : batch.slice(0, index)
      await this.#send(publishable, lease, onPublished)
      const unpublishable = batch[publishable.length]
      if (unpublishable) {
        const problem = `its row in the table events must have ${problems[index]}. Correct the row.`
        throw new UnpublishableEventError(unpublishable.id, problem)
      }
    }
  }

  /** Sends a batch until the cluster has acknowledged it. A batch that the cluster rejects is divided. */
  async #send(
    batch: readonly RelayEvent[],
    lease: Lease,
    onPublished: (throughId: number) => Promise<void>,
  ): Promise<void> {
    const last = batch.at(-1)
    if (!last) return
    const { publisher, status, log, stopping } = this.#options
    const startedAt = performance.now()
    for (let retryMs = RETRY_MS; ; retryMs = Math.min(RETRY_MS_MAX, retryMs * 2)) {
      lease.requireValid()
      try {
        await publisher.publish(batch)
        break
      } catch (error) {
        status.failures++
        if (error instanceof RejectedByBrokerError) {
          for (const part of divide(batch, error)) await this.#send(part, lease, onPublished)
          return
        }
        if (stopping.aborted || performance.now() - startedAt > FAILING_MS_MAX) throw error
        log.failed(error)
      }
      await delay(retryMs, undefined, { signal: stopping }).catch(() => undefined)
    }
    status.published += batch.length
    await onPublished(last.id)
    log.succeeded()
  }
}

/** Divides a batch in two. A single event that the cluster rejects cannot be published. */
function divide(batch: readonly RelayEvent[], cause: RejectedByBrokerError): (readonly RelayEvent[])[] {
  const [first] = batch
  if (first && batch.length === 1) {
    const bytes = Buffer.byteLength(first.payload)
    const problem = `${cause.message} If its payload of ${bytes} bytes is too large, raise max.message.bytes of the topic.`
    throw new UnpublishableEventError(first.id, problem, { cause })
  }
  const middle = Math.ceil(batch.length / 2)
  return [batch.slice(0, middle), batch.slice(middle)]
}

/** Divides rows into batches of bounded length and size. */
function batchesOf(rows: readonly RelayEvent[]): RelayEvent[][] {
  const batches: RelayEvent[][] = []
  let size = 0
  for (const row of rows) {
    const batch = batches.at(-1)
    size += row.payload.length
    if (batch && batch.length < BATCH_LENGTH && size <= BATCH_PAYLOAD_MAX) {
      batch.push(row)
    } else {
      batches.push([row])
      size = row.payload.length
    }
  }
  return batches
}
