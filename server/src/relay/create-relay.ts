import { connect } from '@pointwise/db'
import { type KafkaConfig, KafkaPublisher } from './kafka-publisher.ts'
import { OutboxRelay } from './outbox-relay.ts'
import type { RelayLogger } from './relay-log.ts'

/** One to read and publish, one to renew the lease meanwhile, and one to delete old events. */
const CONNECTIONS = 3
/** Shorter than a lease, so that a holder whose database hangs notices it. */
const STATEMENT_TIMEOUT_MS = 4_000

export interface RelayConfig extends KafkaConfig {
  /** After how many days published events are deleted; 0: never. */
  retentionDays: number
}

export interface CreateRelayOptions {
  databaseUrl: string
  kafka: RelayConfig
  logger: RelayLogger
}

/** Creates a relay with connections of its own. `close` stops the relay and closes them. */
export function createRelay({ databaseUrl, kafka, logger }: CreateRelayOptions): {
  relay: OutboxRelay
  close: () => Promise<void>
} {
  const db = connect(databaseUrl, { connections: CONNECTIONS, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  const { topic, retentionDays } = kafka
  const relay = new OutboxRelay({ db, publisher: new KafkaPublisher(kafka), topic, retentionDays, logger })
  const close = async () => {
    await relay.stop()
    await db.destroy()
  }
  return { relay, close }
}
