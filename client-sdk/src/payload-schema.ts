/** The part of JSON Schema with which the payloads of events are described. */
export type PayloadSchema =
  | ObjectSchema
  | { type: 'array'; items: PayloadSchema; minItems?: number }
  | { type: 'integer'; minimum?: number; maximum?: number }
  | { type: 'string' }

export interface ObjectSchema {
  type: 'object'
  properties: { readonly [name: string]: PayloadSchema }
  required: readonly string[]
}

/** Where a value does not match its schema. */
export interface Mismatch {
  /** The path of the value, such as `items[0].stock`; empty for the payload itself. */
  field: string
  /** What the schema requires, such as "a whole number of at least 1". */
  expected: string
  /** The value; undefined if it is missing. */
  actual: unknown
}

/**
 * Returns a copy of a value of JSON that contains the fields of the schema and no others.
 *
 * @param reject called with the first mismatch; throws
 */
export function readPayload(
  schema: PayloadSchema,
  value: unknown,
  reject: (mismatch: Mismatch) => never,
  field = '',
): unknown {
  const mismatch = (expected: string) => reject({ field, expected, actual: value })
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return mismatch('an object')
      const given = new Map<string, unknown>(Object.entries(value))
      const names = Object.keys(schema.properties).filter((name) => given.has(name) || schema.required.includes(name))
      const fields = names.map((name) => {
        const path = field === '' ? name : `${field}.${name}`
        return [name, readPayload(schema.properties[name] as PayloadSchema, given.get(name), reject, path)]
      })
      return Object.fromEntries(fields)
    }
    case 'array': {
      const { items, minItems = 0 } = schema
      if (!Array.isArray(value) || value.length < minItems) return mismatch(`an array of at least ${minItems} items`)
      return value.map((item, index) => readPayload(items, item, reject, `${field}[${index}]`))
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
