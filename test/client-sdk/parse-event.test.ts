import { type EventType, type KafkaMessage, parseEvent } from '@pointwise/client-sdk/events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { headerSchema } from '../../server/src/asyncapi/describe-events.ts'
import { eventPayloads } from '../../server/src/outbox/event-schemas.ts'
import { kafkaMessageOf, type RelayEvent } from '../../server/src/relay/kafka-message.ts'
import { selectRelayEventsAfter } from '../../server/src/relay/queries.ts'
import { item, openShop, type Shop } from '../setup/shop.ts'
import { errorOf, FORMS, PAID, withHeaders, withPayload, withValue } from './event-messages.ts'

const TYPES = Object.keys(eventPayloads) as EventType[]

describe('the events of a shop', () => {
  let shop: Shop
  let rows: RelayEvent[]

  beforeAll(async () => {
    shop = await openShop()
    const admin = await shop.admin()
    const { client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct({ name: 'Teekännchen 急須 🫖 "large" \\', price: 100, stock: 10 })
    const placed = await client.orders.place.mutate({ items: [item(product)] })
    await client.orders.cancel.mutate({ orderId: placed.id })
    const other = await shop.givenProduct({ price: 0 })
    const { order } = await client.orders.checkout.mutate({ items: [item(other), item(product, 3)] })
    await admin.payments.refund.mutate({ orderId: order.id })
    await admin.products.restock.mutate({ productId: product.id, quantity: -2 })
    await admin.products.update.mutate({ productId: product.id, price: 120 })
    await admin.products.remove.mutate({ productId: product.id })
    rows = await selectRelayEventsAfter(shop.db, { after: 0, limit: 1_000 }).execute()
  })
  afterAll(() => shop[Symbol.asyncDispose]())

  test.each(Object.keys(FORMS))('are parsed from messages: %s', (name) => {
    const form = FORMS[name] ?? expect.fail(name)
    const parsed = rows.map((row) => parseEvent(form(kafkaMessageOf(row))))
    expect(parsed).toEqual(
      rows.map(({ id, type, key, payload, at }) => ({
        id,
        type,
        key,
        at,
        payload: JSON.parse(payload),
      })),
    )
    expect(new Set(parsed.map(({ type }) => type))).toEqual(new Set(TYPES))
  })
})

describe('parseEvent accepts', () => {
  test('fields that a newer server has added, and leaves them out', () => {
    const items = [{ productId: 5, quantity: 3, stock: 0, warehouse: 'north' }]
    expect(parseEvent(withPayload({ items, currency: 'points' }))).toEqual(parseEvent(PAID))
    const polluting = withValue(PAID.value.replace('{', '{"__proto__": {"amount": 1}, "constructor": null,'))
    expect(parseEvent(polluting)).toEqual(parseEvent(PAID))
  })

  test('headers that it does not know, whatever they contain', () => {
    const headers = new Map<Uint8Array | string, Uint8Array>(
      Object.entries(PAID.headers).map(([name, value]) => [name, Buffer.from(value)]),
    )
    headers.set(Buffer.from([0xff]), Buffer.from('x'))
    headers.set('traceparent', Buffer.from([0xff]))
    expect(parseEvent({ ...PAID, headers })).toEqual(parseEvent(PAID))
  })

  test('bytes of another realm, and a content type with a parameter', () => {
    const view = new DataView(new TextEncoder().encode(PAID.value).buffer)
    expect(parseEvent(withValue(view))).toEqual(parseEvent(PAID))
    expect(parseEvent(withHeaders({ 'content-type': 'application/json; charset=utf-8' }))).toEqual(parseEvent(PAID))
  })
})

const LATER_TYPE = { ce_type: 'points.granted' }

describe('an unknown type', () => {
  test('is reported as unknown_type, with the id, so that a consumer can skip the event', () => {
    const error = errorOf({ ...withHeaders(LATER_TYPE), key: 'gift:1', value: '{}' })
    expect(error).toMatchObject({ code: 'unknown_type', id: 17, type: 'points.granted', field: 'ce_type' })
    expect(error.message).toBe(
      'Event 17 (points.granted) has a type that this version of @pointwise/client-sdk does not know. Skip the event if the consumer does not need it. Otherwise update the package.',
    )
  })

  test.each([
    ['without a value', { value: null }],
    ['with a value that is not JSON', { value: Buffer.from([0xff]) }],
    ['without a key', { key: null }],
  ])('is unknown_type %s', (_, change) => {
    expect(errorOf({ ...withHeaders(LATER_TYPE), ...change }).code).toBe('unknown_type')
  })

  test.each(['constructor', '__proto__', 'toString', 'order', 'order.paid2', 'Order.paid'])('is %s', (type) => {
    expect(errorOf(withHeaders({ ce_type: type }))).toMatchObject({ code: 'unknown_type', type })
  })

  test('is not decided for a message of another source or without an id', () => {
    expect(errorOf(withHeaders({ ...LATER_TYPE, ce_source: '/other' })).code).toBe('invalid_header')
    expect(errorOf(withHeaders({ ...LATER_TYPE, ce_id: undefined })).code).toBe('missing_header')
  })
})

describe('headers', () => {
  test.each(headerSchema.required as string[])('%s: its absence is reported as missing_header', (field) => {
    for (const absent of [undefined, null, []]) {
      const error = errorOf(withHeaders({ [field]: absent }))
      expect(error).toMatchObject({ code: 'missing_header', field })
      expect(error.message).toContain(` has no header ${field}. Expected `)
    }
  })

  const fixed = Object.entries(headerSchema.properties as Record<string, { const?: string }>).filter(
    ([, schema]) => schema.const !== undefined,
  )

  test.each<[string, unknown]>([
    ...fixed.map(([name, schema]) => [name, `${schema.const}x`] as [string, string]),
    ['ce_specversion', '0.3'],
    ['ce_source', '/pointwise/other'],
    ...['', '0', '-1', '017', '1.0', '1e3', ' 1', '9007199254740993', '１'].map(
      (id) => ['ce_id', id] as [string, string],
    ),
    ['ce_id', ['17', '18']],
    ['ce_id', Buffer.from([0xff])],
    ['ce_id', 17],
    ['ce_id', { id: 17 }],
    ['ce_type', ''],
    ['ce_type', 'order paid'],
    ...['', 'yesterday', '1772352000123', '2026-03-01', '2026-03-01T08:00:00.123', '2026-02-30T08:00:00.000Z'].map(
      (time) => ['ce_time', time] as [string, string],
    ),
    ['ce_time', '2026-03-01T24:00:00.000Z'],
    ['ce_time', '2026-13-01T08:00:00.000Z'],
    ['ce_subject', ''],
    ['content-type', 'application/cloudevents+json'],
    ['content-type', 'application/jsonl'],
    ['content-type', 'avro'],
  ])('%s: the value %j is reported as invalid_header', (field, value) => {
    const error = errorOf(withHeaders({ [field]: value }))
    expect(error).toMatchObject({ code: 'invalid_header', field })
    expect(error.message).toMatch(
      new RegExp(` has the header ${field} with the value .+\\. Expected .+\\. Check that `),
    )
  })

  test('the message of an error contains the id and the type as soon as they are known', () => {
    expect(errorOf(withHeaders({ ce_source: '' })).message).toMatch(/^The message has the header ce_source /)
    expect(errorOf(withHeaders({ ce_type: '' })).message).toMatch(/^Event 17 has the header ce_type /)
    expect(errorOf(withHeaders({ ce_time: '' }))).toMatchObject({
      id: 17,
      type: 'order.paid',
      message: expect.stringMatching(
        /^Event 17 \(order.paid\) has the header ce_time with the value ""\. Expected an ISO 8601 time in UTC such as /,
      ),
    })
  })
})

describe('the key', () => {
  test.each([
    ['user:8', 'has the key "user:8"'],
    ['USER:7', 'has the key "USER:7"'],
    ['', 'has the key ""'],
    [null, 'has no key'],
    [undefined, 'has no key'],
    [Buffer.from([0xff]), 'has the key bytes that are not UTF-8'],
    [7, 'has the key 7'],
  ])('%j, which does not follow from the payload, is reported as invalid_key', (key, problem) => {
    const error = errorOf({ ...PAID, key })
    expect(error).toMatchObject({ code: 'invalid_key', field: 'key', id: 17 })
    expect(error.message).toContain(`${problem}. Expected "user:7", which follows from the payload. Check that `)
  })

  test('is also required of the header ce_subject', () => {
    const error = errorOf(withHeaders({ ce_subject: 'user:8' }))
    expect(error).toMatchObject({ code: 'invalid_header', field: 'ce_subject' })
    expect(error.message).toContain('has the header ce_subject with the value "user:8". Expected "user:7", the key ')
    const both = { ...withHeaders({ ce_subject: 'user:8' }), key: 'user:8' }
    expect(errorOf(both)).toMatchObject({ code: 'invalid_key', field: 'key' })
  })
})

describe('a tombstone', () => {
  test.each([
    ['of an event', { ...PAID, value: null }],
    ['without headers', { key: 'user:7', value: null }],
    [
      'with empty headers and an undefined value, as @platformatic/kafka delivers',
      { value: undefined, headers: new Map() },
    ],
  ])('%s is reported as tombstone', (_, message) => {
    const error = errorOf(message)
    expect(error).toMatchObject({ code: 'tombstone', field: 'value' })
    expect(error.message).toContain(' has no value (a tombstone), which Pointwise does not publish. Check that only ')
  })
})

test('a value that is no message is a TypeError that states what to pass', () => {
  for (const value of [undefined, null, 'text', {}, { topic: 'pointwise.events', partition: 0, message: PAID }]) {
    expect(() => parseEvent(value as unknown as KafkaMessage)).toThrow(
      /^parseEvent expects a message .* `payload.message`/,
    )
    expect(() => parseEvent(value as unknown as KafkaMessage)).toThrow(TypeError)
  }
})
