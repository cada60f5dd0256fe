/** What an event type requires of its messages. */
export interface EventSchema {
  /** The key of the message, with fields of the payload in braces: `user:{userId}`. */
  key: string
  payload: ObjectSchema
}

/** The part of JSON Schema with which the payloads of events are described. */
type PayloadSchema =
  | ObjectSchema
  | { type: 'array'; items: PayloadSchema; minItems?: number }
  | { type: 'integer'; minimum?: number; maximum?: number }
  | { type: 'string' }

interface ObjectSchema {
  type: 'object'
  properties: { readonly [name: string]: PayloadSchema }
  required: readonly string[]
}

/** A payload, by field. */
export type Payload = { readonly [name: string]: unknown }

/** Where a value does not match its schema. */
export interface Mismatch {
  /** The path of the value, such as `items[0].stock`; empty for the payload itself. */
  field: string
  /** What the schema requires, such as "an object". */
  expected: string
  /** The value; undefined if it is missing. */
  actual: unknown
}

/** Called with the first mismatch; throws. */
type Reject = (mismatch: Mismatch) => never

/** Returns a copy of a value of JSON that contains the fields of the schema and no others. */
export function readPayload(schema: ObjectSchema, value: unknown, reject: Reject): Payload {
  return readObject(schema, value, '', reject)
}

function readObject({ properties, required }: ObjectSchema, value: unknown, field: string, reject: Reject): Payload {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return reject({ field, expected: 'an object', actual: value })
  }
  const given = new Map<string, unknown>(Object.entries(value))
  const fields = Object.entries(properties)
    .filter(([name]) => given.has(name) || required.includes(name))
    .map(([name, schema]) => {
      const path = field === '' ? name : `${field}.${name}`
      return [name, readValue(schema, given.get(name), path, reject)]
    })
  return Object.fromEntries(fields)
}

function readValue(schema: PayloadSchema, value: unknown, field: string, reject: Reject): unknown {
  const mismatch = (expected: string) => reject({ field, expected, actual: value })
  switch (schema.type) {
    case 'object':
      return readObject(schema, value, field, reject)
    case 'array': {
      const { items, minItems = 0 } = schema
      if (!Array.isArray(value) || value.length < minItems) return mismatch(`an array of at least ${minItems} items`)
      return value.map((item, index) => readValue(items, item, `${field}[${index}]`, reject))
    }
    case 'integer': {
      const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema
      if (Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum) return value
      return mismatch(`a whole number from ${minimum} to ${maximum}`)
    }
    case 'string':
      return typeof value === 'string' ? value : mismatch('a string')
  }
}
