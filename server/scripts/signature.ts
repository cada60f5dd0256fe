import { type JsonSchema, SCHEMA_REF, type TranslatedSchema } from '../src/openapi/json-schema.ts'

type NamedSchemas = TranslatedSchema['named']

/** Writes a type in short form, such as `{ items: Order[], nextCursor }`. The type of a plain field is omitted. */
export function signature(schema: JsonSchema, named: NamedSchemas): string {
  if (typeof schema.$ref === 'string') return schema.$ref.slice(SCHEMA_REF.length)
  if (Array.isArray(schema.anyOf)) return signature(schema.anyOf[0], named)
  if (Array.isArray(schema.oneOf)) return schema.oneOf.map((each) => signature(each, named)).join(' or ')
  if ('const' in schema) return String(schema.const)
  if (schema.type === 'array') return arraySignature(schema, named)
  return schema.properties ? objectSignature(schema, named) : ''
}

function arraySignature({ items, maxItems }: JsonSchema, named: NamedSchemas): string {
  const item = signature(items as JsonSchema, named)
  return typeof maxItems === 'number' && maxItems <= 10 ? `up to ${maxItems} × ${item}` : `${item}[]`
}

/** An object that has all fields of a named schema is written as `Order & { replayed }`. */
function objectSignature(schema: JsonSchema, named: NamedSchemas): string {
  const properties = propertiesOf(schema)
  const [base, shared] = Object.entries(named)
    .map(([name, each]) => [name, Object.keys(propertiesOf(each))] as const)
    .find(([name, keys]) => keys.length > 0 && keys.every((key) => isSame(properties[key], named[name], key))) ?? [
    '',
    [],
  ]
  const required = Array.isArray(schema.required) ? schema.required : []
  const fields = Object.entries(properties)
    .filter(([name]) => !shared.includes(name))
    .map(([name, property]) => {
      const type = signature(property, named)
      return `${name}${required.includes(name) ? '' : '?'}${type && type !== '[]' ? `: ${type}` : ''}`
    })
  const text = fields.length > 0 ? `{ ${fields.join(', ')} }` : ''
  return [base, text].filter(Boolean).join(' & ')
}

function isSame(property: JsonSchema | undefined, base: JsonSchema | undefined, key: string): boolean {
  return JSON.stringify(property) === JSON.stringify(propertiesOf(base ?? {})[key])
}

function propertiesOf({ properties }: JsonSchema): Record<string, JsonSchema> {
  return (properties ?? {}) as Record<string, JsonSchema>
}
