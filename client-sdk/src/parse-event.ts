import { EventParseError, type EventParseErrorCode } from './event-parse-error.ts'
import { type EventPayloads, PAYLOAD_SCHEMAS } from './event-payloads.ts'
import { decodeText, type KafkaMessage, readHeaders } from './kafka-message.ts'
import { readPayload } from './payload-schema.ts'

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

/** The headers of an event, in the binary content mode of CloudEvents 1.0. */
const HEADERS = {
  ce_specversion: { expected: '1.0', isValid: (text: string) => text === '1.0' },
  ce_source: { expected: '/pointwise', isValid: (text: string) => text === '/pointwise' },
  ce_id: { expected: 'the id of an event in decimal digits', isValid: isId },
  ce_type: { expected: 'a type such as order.paid', isValid: (text: string) => /^[\x21-\x7e]+$/.test(text) },
  ce_time: { expected: 'an ISO 8601 time in UTC such as 2026-01-31T12:00:00.000Z', isValid: isTime },
  ce_subject: { expected: 'the key of the event', isValid: (text: string) => text !== '' },
  'content-type': { expected: 'application/json', isValid: (text: string) => /^application\/json *(;|$)/i.test(text) },
}

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
  // The parser has read the payload with the schema of the type, which the compiler cannot relate to each other.
  return { id, type, at, key: parser.key(), payload: parser.payload(type) } as ShopEvent
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
    if (Object.hasOwn(PAYLOAD_SCHEMAS, type)) return type as EventType
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

  key(): string {
    const subject = this.#header('ce_subject')
    const { key } = this.#message
    const text = decodeText(key)
    if (text === subject) return subject
    return this.#reject('invalid_key', 'key', {
      problem: `has the key ${describe(text ?? key)}`,
      expected: `${describe(subject)}, the value of the header ce_subject`,
      advice: CHECK_TOPIC,
    })
  }

  payload(type: EventType): unknown {
    return readPayload(PAYLOAD_SCHEMAS[type], this.#json(), ({ field, expected, actual }) =>
      this.#reject('invalid_payload', fieldOf(field), {
        problem: `has an invalid payload: ${field || 'the value'} is ${describe(actual)}`,
        expected,
        advice: CHECK_VERSIONS,
      }),
    )
  }

  #json(): unknown {
    const { value } = this.#message
    const text = decodeText(value)
    const problem = `has the value ${describe(text ?? value)}`
    const expected = 'JSON as text or as UTF-8 bytes'
    if (text === undefined) {
      const advice = 'Configure the Kafka client to deliver values as bytes or as text, without a JSON deserializer.'
      return this.#reject('invalid_payload', 'value', { problem, expected, advice })
    }
    try {
      return JSON.parse(text)
    } catch (cause) {
      return this.#reject('invalid_payload', 'value', { problem, expected, advice: CHECK_VERSIONS, cause })
    }
  }

  #header(name: keyof typeof HEADERS): string {
    const { expected, isValid } = HEADERS[name]
    const given = this.#headers.get(name) ?? []
    if (given.length === 0) {
      return this.#reject('missing_header', name, { problem: `has no header ${name}`, expected, advice: CHECK_TOPIC })
    }
    const [text, ...others] = new Set(given.map((value) => decodeText(value)))
    if (text !== undefined && others.length === 0 && isValid(text)) return text
    return this.#reject('invalid_header', name, {
      problem: `has the header ${name} with the value ${given.map((value) => describe(decodeText(value) ?? value)).join(' and ')}`,
      expected,
      advice: CHECK_TOPIC,
    })
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

function isId(text: string): boolean {
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))
}

/** Whether the text is a time that exists. `Date` moves the 30th of February into March. */
function isTime(text: string): boolean {
  const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(text)
  const date = new Date(text)
  return time?.[1] !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(time[1])
}

const SHOWN_LENGTH_MAX = 60

/** A value as an error message shows it. */
function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (ArrayBuffer.isView(value)) return 'bytes that are not UTF-8'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text
}
