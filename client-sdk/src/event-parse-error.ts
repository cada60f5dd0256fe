/**
 * Why a message is not an event that the package knows:
 *
 * - `unknown_type`: a newer server publishes this type. A consumer that does not need it can skip the message.
 * - `tombstone`: the message has no value. Pointwise publishes no such message.
 * - `missing_header`, `invalid_header`: a header is missing or has the wrong value.
 * - `invalid_key`: the message has no key, or not the key that follows from the payload.
 * - `invalid_payload`: the value is not JSON, or a field of the payload is missing or has the wrong type.
 */
export type EventParseErrorCode =
  | 'unknown_type'
  | 'tombstone'
  | 'missing_header'
  | 'invalid_header'
  | 'invalid_key'
  | 'invalid_payload'

interface EventPosition {
  code: EventParseErrorCode
  id: number | undefined
  type: string | undefined
  field: string
  cause: unknown
}

/** A message is not an event, or it is an event of an unknown type. `code` is the reason. */
export class EventParseError extends Error {
  override readonly name = 'EventParseError'
  readonly code: EventParseErrorCode
  /** The id of the event; undefined if the message has no valid id. */
  readonly id: number | undefined
  /** The type of the event, such as `order.paid`; undefined if the message has no valid type. */
  readonly type: string | undefined
  /** The part of the message: the name of a header, `key`, `value`, or a path such as `value.items[0].stock`. */
  readonly field: string

  constructor(message: string, { code, id, type, field, cause }: EventPosition) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.id = id
    this.type = type
    this.field = field
  }
}
