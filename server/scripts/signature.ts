import { type JsonSchema, NAMED, type Translated } from '../src/openapi/json-schema.ts'

type Named = Translated['named']

/** How a person writes a type down: fields by name, and of what is not plain, what it is. */
export function signature(schema: JsonSchema, named: Named): string {
  if (typeof schema.$ref === 'string') return schema.$ref.slice(NAMED.length)
  if (Array.isArray(schema.anyOf)) return signature(schema.anyOf[0], named)
  if (Array.isArray(schema.oneOf)) return schema.oneOf.map((each) => signature(each, named)).join(' or ')
  if ('const' in schema) return String(schema.const)
  if (schema.type === 'array') return list(schema, named)
  return schema.properties ? fields(schema, named) : ''
}

function list({ items, maxItems }: JsonSchema, named: Named): string {
  const item = signature(items as JsonSchema, named)
  return typeof maxItems === 'number' && maxItems <= 10 ? `up to ${maxItems} × ${item}` : `${item}[]`
}

function fields(schema: JsonSchema, named: Named): string {
  const own = propertiesOf(schema)
  const [base, shared] = Object.entries(named)
    .map(([name, each]) => [name, Object.keys(propertiesOf(each))] as const)
    .find(([name, names]) => names.length > 0 && names.every((key) => isSame(own[key], named[name], key))) ?? ['', []]
  const rest = Object.entries(own).filter(([name]) => !shared.includes(name))
  const required = Array.isArray(schema.required) ? schema.required : []
  const told = rest.map(([name, field]) => {
    const what = signature(field, named)
    return `${name}${required.includes(name) ? '' : '?'}${what && what !== '[]' ? `: ${what}` : ''}`
  })
  const text = told.length > 0 ? `{ ${told.join(', ')} }` : ''
  return [base, text].filter(Boolean).join(' & ')
}

function isSame(field: JsonSchema | undefined, base: JsonSchema | undefined, name: string): boolean {
  return JSON.stringify(field) === JSON.stringify(propertiesOf(base ?? {})[name])
}

function propertiesOf({ properties }: JsonSchema): Record<string, JsonSchema> {
  return (properties ?? {}) as Record<string, JsonSchema>
}
