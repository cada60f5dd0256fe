import { z } from 'zod'

/** A JSON Schema, or a part of one. */
export type JsonSchema = { [keyword: string]: unknown }

/** A schema as JSON Schema has it, and the named ones that it refers to. */
export interface Translated {
  schema: JsonSchema
  named: Record<string, JsonSchema>
  /** Whether the value may be left out. */
  isOptional: boolean
}

/** Where a named schema lies in the document. */
export const NAMED = '#/components/schemas/'

/** What is sent as `input`, or answered as `output`, when it is written as JSON. */
export function translate(schema: z.ZodType, io: 'input' | 'output'): Translated {
  // A field, because a named schema at the top would not be referred to, but written out.
  const { properties, required, $defs } = z.toJSONSchema(z.object({ value: schema }), {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => tidy(zodSchema, jsonSchema, io),
  })
  return {
    schema: withRefs(properties?.value ?? {}),
    named: Object.fromEntries(
      Object.entries($defs ?? {}).map(([name, { id: _, ...named }]) => [name, withRefs(named)]),
    ),
    isOptional: !required?.includes('value'),
  }
}

/** Has a schema say what holds, and no more. */
function tidy({ _zod: { def } }: z.core.$ZodTypes, schema: JsonSchema, io: 'input' | 'output'): void {
  if (def.type === 'date') Object.assign(schema, { type: 'string', format: 'date-time' })
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.format === 'uuid') delete schema.pattern
  // An answer may get more fields, and a client has to bear it.
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties
  if (def.type === 'prefault' || (def.type === 'default' && isMadeAnew(def))) delete schema.default
}

/** A default that differs each time, such as a key, is no value to tell. */
function isMadeAnew(def: { defaultValue: unknown }): boolean {
  const first = def.defaultValue
  return first !== def.defaultValue
}

function withRefs(schema: unknown): JsonSchema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', `"${NAMED}`)
  return JSON.parse(text)
}
