/*
 * A consumer of events. It compiles, except for each line after a @ts-expect-error. The type check of the repository compiles it
 * against the sources; package.long.test.ts compiles it against the published package.
 */
import {
  EventDeduplicator,
  EventParseError,
  type EventParseErrorCode,
  type EventPayloads,
  type EventType,
  type KafkaMessage,
  parseEvent,
  type ShopEvent,
} from '@pointwise/client-sdk/events'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const assertTrue = <_True extends true>(): void => undefined

/** The message of @platformatic/kafka: bytes, and a Map of bytes. */
interface PlatformaticMessage {
  key: Uint8Array
  value: Uint8Array
  headers: Map<Uint8Array, Uint8Array>
  topic: string
  partition: number
  timestamp: bigint
  offset: bigint
}

/** The message of kafkajs: bytes, and an object. */
interface KafkajsMessage {
  key: Uint8Array | null
  value: Uint8Array | null
  headers?: { [name: string]: Uint8Array | string | (Uint8Array | string)[] | undefined }
  offset: string
}

export function messages(platformatic: PlatformaticMessage, kafkajs: KafkajsMessage): ShopEvent[] {
  const text: KafkaMessage = { key: 'user:7', value: '{}', headers: new Map([['ce_id', '1']]) }
  const tombstone: KafkaMessage = { key: 'user:7', value: null }
  // @ts-expect-error: the value is the payload as text or bytes
  parseEvent({ key: 'user:7', value: { userId: 7 }, headers: {} })
  // @ts-expect-error: kafkajs delivers the message as a part of its payload
  parseEvent({ topic: 'pointwise.events', partition: 0, message: kafkajs })
  // @ts-expect-error: a header has text or bytes
  parseEvent({ value: '{}', headers: { ce_id: 1 } })
  return [platformatic, kafkajs, text, tombstone].map((message) => parseEvent(message))
}

export function payloads(event: ShopEvent): string {
  const [id, at, key, type]: [number, Date, string, EventType] = [event.id, event.at, event.key, event.type]
  // @ts-expect-error: the payload of some types has no items
  void event.payload.items
  // @ts-expect-error: there is no such type
  if (event.type === 'order.payed') return ''
  switch (event.type) {
    case 'order.paid':
    case 'order.refunded': {
      const { userId, orderId, amount, balance, items } = event.payload
      const left: { productId: number; quantity: number; stock: number }[] = items
      return `${userId} ${orderId} ${amount} ${balance} ${left.length}`
    }
    case 'points.charged':
      // @ts-expect-error: there is no such field
      void event.payload.orderId
      return `${event.payload.historyId}`
    case 'order.placed':
      return `${event.payload.totalPrice satisfies number}`
    case 'order.cancelled':
      return `${event.payload.orderId}`
    case 'product.created':
    case 'product.changed':
    case 'product.removed':
      return event.payload.name
    case 'product.restocked':
      return `${event.payload.change} ${id} ${at.getTime()} ${key} ${type}`
    default:
      return event satisfies never
  }
}

export function missingCase(event: ShopEvent): string {
  if (event.type !== 'order.placed') return event.key
  assertTrue<Same<typeof event.payload, EventPayloads['order.placed']>>()
  // @ts-expect-error: the case order.placed is missing
  return event satisfies never
}

export function problems(error: unknown): string {
  if (!(error instanceof EventParseError)) throw error
  const [id, type, field]: [number | undefined, string | undefined, string] = [error.id, error.type, error.field]
  const code: EventParseErrorCode = error.code
  // @ts-expect-error: there is no such code
  if (error.code === 'unknown') return ''
  // @ts-expect-error: the id is undefined if the message has none
  const known: number = error.id
  return `${code} ${id} ${type} ${field} ${known}`
}

export async function deduplication(event: ShopEvent): Promise<number> {
  const deduplicator = new EventDeduplicator()
  const isNew: boolean = await deduplicator.handleOnce(event, async ({ type }) => void type)
  if (event.type === 'order.paid') await deduplicator.handleOnce(event, ({ payload }) => payload.items.length)
  // @ts-expect-error: the handler is missing
  await deduplicator.handleOnce(event)
  // @ts-expect-error: only handleOnce sets the id
  deduplicator.lastId = event.id
  // @ts-expect-error: the stored id is a number
  void new EventDeduplicator('7')
  return isNew ? deduplicator.lastId : 0
}
