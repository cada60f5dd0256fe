import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createAsyncapiDocument } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { eventPayloads } from '../../server/src/outbox/event-schemas.ts'
import { topicsOf } from '../../server/src/outbox/topics.ts'
import { isValid, messages, resolveRef, validatorOf } from './messages.ts'

const document = JSON.parse(JSON.stringify(createAsyncapiDocument()))
const described = messages(document)
const { channels, operations } = document

test('the document is valid AsyncAPI 3.1', () => {
  const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.1.0.json')
  const validate = validatorOf(JSON.parse(readFileSync(path, 'utf8')), { isMeta: true })
  validate(document)
  expect(validate.errors).toBeNull()
  expect(validate({ ...document, channels: { events: { address: 7 } } })).toBe(false)
  expect(document.asyncapi).toBe('3.1.0')
})

test('every reference has a target', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference)
  expect(references.length).toBeGreaterThan(20)
  expect(references.filter((reference) => resolveRef(document, reference) === undefined)).toEqual([])
})

test('the server sends every event type, and no other, to one Kafka topic', () => {
  expect(described.map(({ name }) => name)).toEqual(Object.keys(eventPayloads))
  expect(Object.keys(channels)).toEqual(['events'])
  expect(channels.events.address).toBe('pointwise.events')
  expect(Object.keys(operations)).toEqual(['publishEvents'])
  const { action, channel, messages } = operations.publishEvents
  expect({ action, channel }).toEqual({ action: 'send', channel: { $ref: '#/channels/events' } })
  const sent = messages.map(({ $ref }: { $ref: string }) => $ref)
  expect(sent).toEqual(Object.keys(channels.events.messages).map((name) => `#/channels/events/messages/${name}`))
  const contained = Object.values(channels.events.messages).map((reference) => (reference as { $ref: string }).$ref)
  expect(contained).toEqual(described.map(({ id }) => `#/components/messages/${id}`))
})

test('the topic is the one that is given, and the broker is a variable', () => {
  const { channels, servers } = createAsyncapiDocument({ topic: 'shop.changes' })
  expect(channels.events?.address).toBe('shop.changes')
  expect(servers.kafka).toMatchObject({
    host: '{broker}',
    protocol: 'kafka',
    variables: { broker: { default: 'localhost:9092' } },
  })
})

test('the document states the delivery promise and the compatibility rule', () => {
  expect(document.info.description).toContain('at least once')
  expect(document.info.description).toContain('must ignore events whose type it does not know, and fields')
})

test('the document is the same each time it is created', () => {
  expect(JSON.parse(JSON.stringify(createAsyncapiDocument()))).toEqual(document)
})

describe.each(described)('$name', (message) => {
  const { name, title, summary, headers, payload, bindings, examples } = message
  const [example = expect.fail('no example'), ...others] = examples
  const eventSchema = eventPayloads[name as keyof typeof eventPayloads]

  test('has a title, a summary, and a description of every field', () => {
    expect(title).toMatch(/^[A-Z][a-z]+ [a-z]+$/)
    expect(summary).toMatch(/^[A-Z].+\.$/)
    for (const schema of [payload, headers]) {
      const fields = fieldsOf(schema)
      expect(fields.length).toBeGreaterThan(1)
      for (const { field, description } of fields) expect(`${field}: ${description}`).toMatch(/^\S+: [A-Z].+\.$/)
    }
  })

  test('has an example with a valid payload, valid headers and the key of the payload', () => {
    expect(others).toEqual([])
    expect(eventSchema.parse(example.payload)).toEqual(example.payload)
    expect(isValid(payload, example.payload)).toBe(true)
    expect(isValid(headers, example.headers)).toBe(true)
    const [key] = topicsOf(eventSchema.parse(example.payload))
    expect(example.headers).toMatchObject({ ce_type: name, ce_subject: key })
    expect(isValid(bindings.kafka.key, key)).toBe(true)
  })

  test('has headers that no other type and no other kind of key has', () => {
    expect(isValid(headers, { ...example.headers, ce_type: 'other.type' })).toBe(false)
    expect(isValid(headers, { ...example.headers, ce_subject: 'order:1' })).toBe(false)
    expect(isValid(headers, { ...example.headers, ce_id: undefined })).toBe(false)
    expect(isValid(headers, { ...example.headers, traceparent: undefined })).toBe(true)
    for (const key of ['order:1', 'user:0', 'user:01', 'user:1x', 'product:']) {
      expect(isValid(bindings.kafka.key, key)).toBe(false)
    }
  })

  test('has a payload to which a later version can add fields, although the schema of the server is strict', () => {
    const extended = { ...example.payload, unknown: 1 }
    expect(isValid(payload, extended)).toBe(true)
    expect(eventSchema.safeParse(extended).success).toBe(false)
    for (const field of Object.keys(example.payload)) {
      expect(isValid(payload, { ...example.payload, [field]: undefined }), field).toBe(false)
      expect(isValid(payload, { ...example.payload, [field]: {} }), field).toBe(false)
    }
  })
})

interface Schema {
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
}

/** Every field of a schema, also of the objects in its lists. */
function fieldsOf({ properties = {}, items }: Schema): { field: string; description: string | undefined }[] {
  const nested = [...Object.values(properties), ...(items ? [items] : [])].flatMap(fieldsOf)
  return [...Object.entries(properties).map(([field, { description }]) => ({ field, description })), ...nested]
}
