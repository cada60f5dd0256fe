import { EVENT_HEADERS } from './event-headers.ts'
import { EventParseError, type EventParseErrorCode } from './event-parse-error.ts'
import type { EventPayloads } from './event-payloads.ts'
import { EVENT_SCHEMAS } from './event-schemas.ts'
import { decodeText, type KafkaMessage, readHeaders } from './kafka-message.ts'
import { type Payload, readPayload } from './payload-schema.ts'

/** The type of an event, such as `order.paid`. */
export type EventType = keyof EventPayloads

/** An event of the shop. Its `type` determines the fields of its `payload`. */
export type ShopEvent = {
  [Type in EventType]: {
    /** At least 1. Within a partition the ids ascend, except that a run of events may be repeated. */
    id: number
    type: Type
    /** The time of the change, to the millisecond. */
    at: Date
    /** What the event is about, such as `user:7` or `product:7`. The events of a key are in one partition. */
    key: string
    payload: EventPayloads[Type]
  }
}[EventType]

const CHECK_TOPIC =
  'Check that only Pointwise publishes to the topic, and that nothing between Pointwise and the consumer changes messages.'
const CHECK_VERSIONS =
  'Do not skip the event. Compare the version of @pointwise/client-sdk with the version of the server, and update the older one.'

/**
 * Returns the event that a message of the topic `pointwise.events` contains. The payload has the fields that belong to the type
 * of the event. Fields that a newer server has added are left out.
 *
 * @throws EventParseError if the message is not an event, or if its type is unknown. Its `code` is the reason.
 * @throws TypeError if the argument is not a message of a Kafka client
 */
export function parseEvent(message: KafkaMessage): ShopEvent {
  if (typeof message !== 'object' || message === null || !('value' in message)) {
    throw new TypeError(
      'parseEvent expects a message with `key`, `value` and `headers`, as a Kafka client delivers it. With kafkajs, pass `payload.message`.',
    )
  }
  const parser = new MessageParser(message)
  parser.requireSource()
  const id = parser.id()
  const type = parser.type()
  const at = parser.time()
  const payload = parser.payload(type)
  // The compiler cannot relate the payload to the type, with whose schema the parser has read it.
  return { id, type, at, key: parser.key(type, payload), payload } as ShopEvent
}

/** Reads the parts of a message in order, so that an error contains what was read before. */
class MessageParser {
  readonly #message: KafkaMessage
  readonly #headers: Map<string, unknown[]>
  #id: number | undefined
  #type: string | undefined

  constructor(message: KafkaMessage) {
    this.#message = message
    this.#headers = readHeaders(message.headers)
  }

  requireSource(): void {
    if (this.#isTombstone() && !this.#headers.has('ce_type')) this.#rejectTombstone()
    this.#header('ce_specversion')
    this.#header('ce_source')
  }

  id(): number {
    this.#id = Number(this.#header('ce_id'))
    return this.#id
  }

  type(): EventType {
    const type = this.#header('ce_type')
    this.#type = type
    if (Object.hasOwn(EVENT_SCHEMAS, type)) return type as EventType
    return this.#reject('unknown_type', 'ce_type', {
      problem: 'has a type that this version of @pointwise/client-sdk does not know',
      advice: 'Skip the event if the consumer does not need it. Otherwise update the package.',
    })
  }

  time(): Date {
    if (this.#isTombstone()) this.#rejectTombstone()
    this.#header('content-type')
    return new Date(this.#header('ce_time'))
  }

  payload(type: EventType): Payload {
    return readPayload(EVENT_SCHEMAS[type].payload, this.#json(), ({ field, expected, actual }) =>
      this.#reject('invalid_payload', fieldOf(field), {
        problem: `has an invalid payload: ${field || 'the value'} is ${describe(actual)}`,
        expected,
        advice: CHECK_VERSIONS,
      }),
    )
  }

  key(type: EventType, payload: Payload): string {
    const expected = EVENT_SCHEMAS[type].key.replace(/\{(\w+)\}/, (_, field: string) => String(payload[field]))
    const { key } = this.#message
    const text = decodeText(key)
    if (text !== expected) {
      return this.#reject('invalid_key', 'key', {
        problem: key === undefined || key === null ? 'has no key' : `has the key ${describe(text ?? key)}`,
        expected: `${describe(expected)}, which follows from the payload`,
        advice: CHECK_TOPIC,
      })
    }
    if (this.#header('ce_subject') === expected) return expected
    return this.#rejectHeader('ce_subject', `${describe(expected)}, the key of the message`)
  }

  #json(): unknown {
    const text = decodeText(this.#message.value)
    if (text === undefined) {
      return this.#rejectValue({
        advice: 'Configure the Kafka client to deliver values as bytes or as text, without a JSON deserializer.',
      })
    }
    try {
      return JSON.parse(text)
    } catch (cause) {
      return this.#rejectValue({ advice: CHECK_VERSIONS, cause })
    }
  }

  #rejectValue(rejection: Pick<Rejection, 'advice' | 'cause'>): never {
    const { value } = this.#message
    const problem = `has the value ${describe(decodeText(value) ?? value)}`
    return this.#reject('invalid_payload', 'value', {
      problem,
      expected: 'JSON as text or as UTF-8 bytes',
      ...rejection,
    })
  }

  #header(name: keyof typeof EVENT_HEADERS): string {
    const { expected, isValid } = EVENT_HEADERS[name]
    const given = this.#headers.get(name) ?? []
    if (given.length === 0) {
      return this.#reject('missing_header', name, { problem: `has no header ${name}`, expected, advice: CHECK_TOPIC })
    }
    const [text, ...others] = new Set(given.map((value) => decodeText(value)))
    if (text !== undefined && others.length === 0 && isValid(text)) return text
    return this.#rejectHeader(name, expected)
  }

  #rejectHeader(name: keyof typeof EVENT_HEADERS, expected: string): never {
    const given = (this.#headers.get(name) ?? []).map((value) => describe(decodeText(value) ?? value))
    const problem = `has the header ${name} with the value ${given.join(' and ')}`
    return this.#reject('invalid_header', name, { problem, expected, advice: CHECK_TOPIC })
  }

  #isTombstone(): boolean {
    return this.#message.value === null || this.#message.value === undefined
  }

  #rejectTombstone(): never {
    const problem = 'has no value (a tombstone), which Pointwise does not publish'
    return this.#reject('tombstone', 'value', { problem, advice: CHECK_TOPIC })
  }

  #reject(code: EventParseErrorCode, field: string, { problem, expected, advice, cause }: Rejection): never {
    const [id, type] = [this.#id, this.#type]
    const subject = id === undefined ? 'The message' : `Event ${id}${type === undefined ? '' : ` (${type})`}`
    const sentences = [`${subject} ${problem}.`, ...(expected ? [`Expected ${expected}.`] : []), advice]
    throw new EventParseError(sentences.join(' '), { code, id, type, field, cause })
  }
}

interface Rejection {
  problem: string
  expected?: string
  advice: string
  cause?: unknown
}

/** The path of a field of the payload, within the message. */
function fieldOf(field: string): string {
  return field === '' ? 'value' : `value.${field}`
}

const SHOWN_LENGTH_MAX = 50

/** A value as an error message shows it. */
function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (ArrayBuffer.isView(value)) return 'bytes that are not UTF-8'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  const isLong = value.length > SHOWN_LENGTH_MAX
  return `${JSON.stringify(value.slice(0, SHOWN_LENGTH_MAX))}${isLong ? '…' : ''}`
}
