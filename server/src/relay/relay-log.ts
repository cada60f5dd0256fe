import { LeaseLostError } from './lease.ts'
import type { RelayStatus } from './relay-status.ts'
import { UnpublishableEventError } from './unpublishable-event-error.ts'

export interface RelayLogger {
  info: (details: object, message: string) => void
  warn: (details: object, message: string) => void
  error: (details: object, message: string) => void
}

/** Logs the failures of a relay. A failure to publish is logged once until it ends or another one follows. */
export class RelayLog {
  readonly #logger: RelayLogger
  readonly #topic: string
  readonly #status: RelayStatus
  #reported: string | undefined

  constructor(logger: RelayLogger, { topic, status }: { topic: string; status: RelayStatus }) {
    this.#logger = logger
    this.#topic = topic
    this.#status = status
  }

  acquired({ position, epoch }: { position: number; epoch: number }): void {
    this.#logger.info({ topic: this.#topic, after: position, epoch }, 'this process publishes events')
  }

  failed(error: unknown): void {
    if (error instanceof UnpublishableEventError) this.#status.stoppedAtId = error.eventId
    const message = error instanceof Error ? error.message : String(error)
    if (this.#reported === message) return
    this.#reported = message
    const details = { topic: this.#topic, err: error }
    if (error instanceof UnpublishableEventError) {
      this.#logger.error(
        { ...details, id: error.eventId },
        'an event cannot be published, and later events wait for it',
      )
    } else if (error instanceof LeaseLostError) {
      this.#logger.warn(details, 'this process no longer publishes events')
    } else {
      this.#logger.error(details, 'publishing events failed and will be retried')
    }
  }

  readonly retentionWarning = (message: string, details: object): void => this.#logger.warn(details, message)

  readonly retentionFailed = (error: unknown): void =>
    this.#logger.error({ topic: this.#topic, err: error }, 'deleting old events failed and will be retried')

  succeeded(): void {
    if (this.#reported !== undefined) this.#logger.info({ topic: this.#topic }, 'events are published again')
    this.#reported = undefined
  }
}
