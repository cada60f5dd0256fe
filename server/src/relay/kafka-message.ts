import type { EventRow } from '../outbox/decode-event.ts'
import type { EventHeaders } from '../outbox/event-schemas.ts'

/** An event, with the trace context of the request that caused it. */
export interface RelayEvent extends EventRow {
  traceparent: string | null
}

/** A message of the topic: a CloudEvent 1.0 in binary mode (cloudevents.io, Kafka protocol binding). */
export interface KafkaMessage {
  key: string
  /** The payload of the event, as it is stored. */
  value: string
  headers: Record<string, string>
}

/** Returns the message that publishes an event. */
export function kafkaMessageOf({ id, type, key, payload, at, traceparent }: RelayEvent): KafkaMessage {
  return {
    key,
    value: payload,
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: String(id),
      ce_type: type,
      ce_source: '/pointwise',
      ce_time: at.toISOString(),
      ce_subject: key,
      ...(traceparent !== null && { traceparent }),
    } satisfies EventHeaders,
  }
}
