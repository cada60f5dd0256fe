import { EventParseError, type KafkaMessage, parseEvent } from '@pointwise/client-sdk/events'
import { assert, expect } from 'vitest'
import { kafkaMessageOf, type KafkaMessage as RelayMessage } from '../../server/src/relay/kafka-message.ts'

const mapHeaders = <Value>({ headers }: RelayMessage, map: (value: string) => Value) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, map(value)]))

/** The forms in which Kafka clients deliver a message. */
export const FORMS: Record<string, (message: RelayMessage) => KafkaMessage> = {
  'text in an object': (message) => message,
  'text in a Map, as @platformatic/kafka delivers with stringDeserializers': (message) => ({
    ...message,
    headers: new Map(Object.entries(message.headers)),
  }),
  'bytes in a Map with bytes as keys, as @platformatic/kafka delivers': (message) => ({
    key: Buffer.from(message.key),
    value: Buffer.from(message.value),
    headers: new Map(
      Object.entries(message.headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const),
    ),
  }),
  'bytes in an object, as kafkajs delivers': (message) => ({
    key: Buffer.from(message.key),
    value: Buffer.from(message.value),
    headers: mapHeaders(message, (value) => Buffer.from(value)),
  }),
  'arrays of bytes or text in an object, as kafkajs delivers repeated headers': (message) => ({
    key: new TextEncoder().encode(message.key),
    value: new TextEncoder().encode(message.value),
    headers: mapHeaders(message, (value) => [Buffer.from(value), value]),
  }),
}

/** A valid message. */
export const PAID: RelayMessage = kafkaMessageOf({
  id: 17,
  type: 'order.paid',
  key: 'user:7',
  payload: JSON.stringify({
    userId: 7,
    orderId: 3,
    amount: 300,
    balance: 0,
    items: [{ productId: 5, quantity: 3, stock: 0 }],
  }),
  at: new Date('2026-03-01T08:00:00.123Z'),
  traceparent: null,
})

/** The valid message with other headers, of any type. */
export const withHeaders = (headers: Record<string, unknown>) =>
  ({ ...PAID, headers: { ...PAID.headers, ...headers } }) as unknown as KafkaMessage
/** The valid message with another value, of any type. */
export const withValue = (value: unknown) => ({ ...PAID, value }) as KafkaMessage
/** The valid message with other fields of the payload. */
export const withPayload = (change: object) => withValue(JSON.stringify({ ...JSON.parse(PAID.value), ...change }))

/** The error with which `parseEvent` rejects the message. */
export function errorOf(message: unknown): EventParseError {
  try {
    parseEvent(message as KafkaMessage)
  } catch (error) {
    assert(error instanceof EventParseError, String(error))
    return error
  }
  return expect.fail('The message was accepted.')
}
