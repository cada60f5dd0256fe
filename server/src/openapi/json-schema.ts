import { z } from 'zod'

/** A JSON Schema, or a part of one. */
export type JsonSchema = { [keyword: string]: unknown }

export interface TranslatedSchema {
  schema: JsonSchema
  /** The named schemas that `schema` refers to. */
  named: Record<string, JsonSchema>
  /** Whether the value may be omitted. */
  isOptional: boolean
}

/** The prefix of references to named schemas. */
export const SCHEMA_REF = '#/components/schemas/'

/** Translates a zod schema to the JSON Schema of the value as plain JSON, before parsing (`input`) or after it (`output`). */
export function translate(schema: z.ZodType, io: 'input' | 'output'): TranslatedSchema {
  // Wrapped in an object, because zod writes a named schema out in full when it is the root.
  const { properties, required, $defs } = z.toJSONSchema(z.object({ value: schema }), {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => normalize(zodSchema, jsonSchema, io),
  })
  return {
    schema: withRefs(properties?.value ?? {}),
    named: Object.fromEntries(
      Object.entries($defs ?? {}).map(([name, { id: _, ...definition }]) => [name, withRefs(definition)]),
    ),
    isOptional: !required?.includes('value'),
  }
}

/** Corrects what zod writes, and removes keywords that carry no information for clients. */
function normalize({ _zod: { def } }: z.core.$ZodTypes, schema: JsonSchema, io: 'input' | 'output'): void {
  if (def.type === 'date') Object.assign(schema, { type: 'string', format: 'date-time' })
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.format === 'uuid' || schema.format === 'date-time') delete schema.pattern
  // A later release may add fields to a response, which clients must accept.
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties
  if (def.type === 'prefault' || (def.type === 'default' && isGenerated(def))) delete schema.default
}

/** Whether a default differs each time, such as a generated key. */
function isGenerated(def: { defaultValue: unknown }): boolean {
  const first = def.defaultValue
  return first !== def.defaultValue
}

function withRefs(schema: unknown): JsonSchema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', `"${SCHEMA_REF}`)
  return JSON.parse(text)
}
