import { COMPATIBILITY } from '../src/asyncapi/compatibility.ts'
import { type EventDescription, eventDescriptions } from '../src/asyncapi/describe-events.ts'
import type { JsonSchema } from '../src/openapi/json-schema.ts'
import { table } from './markdown.ts'
import { signature } from './signature.ts'

/** The section of docs/api.md about the events that are published to Kafka. */
export function eventsSection(): string {
  return `\
## Events

The server publishes every change to Kafka when \`KAFKA_BROKERS\` is set. [events.md](events.md) describes the messages, their headers
and their order. \`/asyncapi.json\` contains a JSON Schema and an example of each event, which a
[test](../test/asyncapi/published-events.test.ts) compares with the events of a shop.

${eventsTable()}

${eventDescriptions.map(fieldsSection).join('\n\n')}

### Compatible changes of events

${COMPATIBILITY}

[The contract](../client-sdk/contract.snapshot.json) of the last version contains the schema of each event. A test compares it with the
events of the server, and fails when a change is not announced.`
}

function eventsTable(): string {
  const rows = eventDescriptions.map(({ type, description, key, payload }) => [
    type,
    `\`${key}\``,
    `\`${signature(payload, {})}\``,
    description,
  ])
  return table(['event', 'key', 'payload', 'meaning'], rows)
}

function fieldsSection({ type, payload }: EventDescription): string {
  return `#### ${type}\n\n${table(['field', 'value', 'meaning'], fieldRows(payload))}`
}

/** A row for each field of an object, and for each field of the objects in its lists. */
function fieldRows({ properties, required }: JsonSchema, path = ''): string[][] {
  return Object.entries(properties as Record<string, JsonSchema>).flatMap(([name, field]) => {
    const mark = (required as string[]).includes(name) ? '' : '?'
    const items = field.items as JsonSchema | undefined
    const nested = items?.properties ? fieldRows(items, `${path}${name}[].`) : []
    return [[`\`${path}${name}${mark}\``, valueText(field), String(field.description)], ...nested]
  })
}

function valueText({ type, minimum, maximum, minItems }: JsonSchema): string {
  if (type === 'array') return minItems ? `list of at least ${minItems}` : 'list'
  if (type !== 'integer') return String(type)
  if (minimum === undefined) return 'integer'
  return maximum === undefined ? `integer, at least ${minimum}` : `integer, ${minimum} to ${format(maximum)}`
}

const format = (value: unknown) => Number(value).toLocaleString('en')
