import { type EventType, eventPayloads } from './event-schemas.ts'
import type { StoredEvent } from './events.ts'
import { topicsOf } from './topics.ts'

export interface EventRow {
  id: number
  type: string
  key: string
  /** The payload as JSON text. */
  payload: string
  at: Date
}

/** An event, or what is wrong with its type, its key or its payload. */
export type DecodedEvent =
  | { event: StoredEvent; expected?: never }
  | { event?: never; expected: string; subject: { type: EventType; payload: Record<string, unknown> } | undefined }

/** The fields of the payload of an event, also if it is not valid. */
export function payloadOf(decoded: DecodedEvent): Readonly<Record<string, unknown>> {
  return decoded.event ? decoded.event.payload : (decoded.subject?.payload ?? {})
}

/** Parses an event and requires the key, the fields and the JSON types that belong to its type. */
export function decodeEvent({ id, type, key, payload: text, at }: EventRow): DecodedEvent {
  if (!isEventType(type)) return invalid(`one of the types ${Object.keys(eventPayloads).join(', ')}`)
  const value = parse(text)
  const subject = typeof value === 'object' && value ? { type, payload: value as Record<string, unknown> } : undefined
  const { data: payload, error } = eventPayloads[type].safeParse(value)
  if (!payload) {
    const issues = error.issues.map(({ path, message }) => `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`)
    return invalid(`a payload of ${type} (${issues.join('; ')})`, subject)
  }
  if (!isCanonical(text, value)) return invalid(`a payload of ${type} with each field once and plain integers`, subject)
  const [expectedKey] = topicsOf(payload)
  if (key !== expectedKey) return invalid(`the key ${expectedKey}`, subject)
  return { event: { id, type, payload, at } as StoredEvent }
}

function invalid(expected: string, subject?: { type: EventType; payload: Record<string, unknown> }): DecodedEvent {
  return { expected, subject }
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(eventPayloads, type)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** JSON.parse accepts no other white space: the space, the tab and the line breaks. */
const SPACE = 0x20

/**
 * Whether the text has no duplicate field and no number such as 400.0 or 4e2, both of which `JSON.parse` accepts. Strings are
 * not compared, because databases escape them differently. The relay calls this for each event, so it makes no copies.
 */
function isCanonical(text: string, value: unknown): boolean {
  const canonical = JSON.stringify(value)
  let compared = 0
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index)
    if (character <= SPACE) continue
    if (character !== canonical.charCodeAt(compared)) return false
    if (character === QUOTE) {
      index = endOfString(text, index)
      compared = endOfString(canonical, compared)
    }
    compared++
  }
  return compared === canonical.length
}

/** The index of the quotation mark that ends a string of valid JSON. */
function endOfString(json: string, start: number): number {
  let end = start + 1
  while (json.charCodeAt(end) !== QUOTE) end += json.charCodeAt(end) === BACKSLASH ? 2 : 1
  return end
}
