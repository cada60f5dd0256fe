import { readFileSync } from 'node:fs'
import {
  EventParseError,
  type EventPayloads,
  type EventType,
  type KafkaMessage,
  parseEvent,
  type ShopEvent,
} from '@pointwise/client-sdk/events'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { eventPayloadsModule, eventSchemasModule } from '../../server/scripts/event-modules.ts'
import { eventPayloads, type EventPayloads as ServerPayloads } from '../../server/src/outbox/event-schemas.ts'
import { topicsOf } from '../../server/src/outbox/topics.ts'
import { fc } from '../setup/properties.ts'
import { errorOf, PAID, withPayload, withValue } from './event-messages.ts'

const TYPES = Object.keys(eventPayloads) as EventType[]

describe('the payload', () => {
  const items = (item: object) => withPayload({ items: [{ productId: 5, quantity: 3, stock: 0, ...item }] })

  test.each<[field: string, message: KafkaMessage, problem: string]>([
    ['value', withValue('{"userId": 7'), 'has the value "{\\"userId\\": 7". Expected JSON as text or as UTF-8 bytes.'],
    ['value', withValue(''), 'has the value "". Expected JSON as text or as UTF-8 bytes.'],
    [
      'value',
      withValue(Buffer.from([0xff])),
      'has the value bytes that are not UTF-8. Expected JSON as text or as UTF-8 bytes. Configure ',
    ],
    ['value', withValue({ userId: 7 }), 'has the value an object. Expected JSON as text or as UTF-8 bytes. Configure '],
    ['value', withValue('[]'), 'the value is an array. Expected an object.'],
    ['value', withValue('null'), 'the value is null. Expected an object.'],
    ['value', withValue('"text"'), 'the value is "text". Expected an object.'],
    ['value.balance', withPayload({ balance: undefined }), 'balance is missing. Expected a whole number from 0 to '],
    ['value.balance', withPayload({ balance: null }), 'balance is null. Expected a whole number '],
    ['value.balance', withPayload({ balance: '5' }), 'balance is "5". Expected a whole number '],
    ['value.balance', withPayload({ balance: -1 }), 'balance is -1. Expected a whole number '],
    ['value.balance', withPayload({ balance: 0.5 }), 'balance is 0.5. Expected a whole number '],
    ['value.balance', withPayload({ balance: 2 ** 53 }), 'balance is 9007199254740992. Expected a whole number '],
    [
      'value.amount',
      withPayload({ amount: 2_147_483_648 }),
      'amount is 2147483648. Expected a whole number from 0 to 2147483647.',
    ],
    ['value.userId', withPayload({ userId: 0 }), 'userId is 0. Expected a whole number from 1 to '],
    ['value.items', withPayload({ items: [] }), 'items is an array. Expected an array of at least 1 items.'],
    ['value.items', withPayload({ items: {} }), 'items is an object. Expected an array of at least 1 items.'],
    ['value.items[0]', withPayload({ items: [7] }), 'items[0] is 7. Expected an object.'],
    ['value.items[0].stock', items({ stock: true }), 'items[0].stock is true. Expected a whole number from 0 to '],
  ])('%s that is not valid is reported as invalid_payload (%#)', (field, message, problem) => {
    const error = errorOf(message)
    expect(error).toMatchObject({ code: 'invalid_payload', field, id: 17, type: 'order.paid' })
    expect(error.message).toContain(problem)
    expect(error.message).toMatch(/^Event 17 \(order.paid\) /)
  })

  test('an error shows at most the beginning of a long value, and has the reason as its cause', () => {
    const error = errorOf(withValue(`{"userId": "${'7'.repeat(10_000)}`))
    expect(error.message.length).toBeLessThan(500)
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })
})

describe('for any input', () => {
  const anyHeader = fc.oneof(fc.anything({ withMap: true }), fc.string(), fc.uint8Array())

  test('parseEvent returns an event or throws an EventParseError', () => {
    const parts = {
      key: anyHeader,
      value: anyHeader,
      headers: fc.oneof(
        fc.anything({ withMap: true, withSet: true }),
        fc.dictionary(fc.constantFrom(...Object.keys(PAID.headers)), anyHeader),
      ),
    }
    fc.assert(
      fc.property(fc.record(parts), fc.record(parts, { requiredKeys: [] }), (message, change) => {
        errorOf(message)
        const headers = typeof change.headers === 'object' ? { ...PAID.headers, ...change.headers } : PAID.headers
        try {
          expect(parseEvent({ ...PAID, ...change, headers } as KafkaMessage)).toEqual(parseEvent(PAID))
        } catch (error) {
          if (!(error instanceof EventParseError)) throw error
        }
      }),
    )
  })

  test.each(TYPES)('%s: a payload is valid if and only if the schema of the server accepts it', (type) => {
    const whole = fc.oneof(fc.constantFrom(-1, 0, 1, 2_147_483_647, 2_147_483_648, Number.MAX_SAFE_INTEGER), fc.nat())
    const mostly = <T>(valid: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 20, arbitrary: valid }, { weight: 1, arbitrary: fc.jsonValue() })
    const field = (name: string) => mostly<unknown>(name === 'name' ? fc.string() : whole)
    const fieldsOf = (names: string[], omit: boolean) =>
      fc.record(Object.fromEntries(names.map((name) => [name, field(name)])), omit ? { requiredKeys: [] } : {})
    const items = mostly(fc.array(mostly(fieldsOf(['productId', 'quantity', 'stock'], false)), { maxLength: 3 }))
    const names = Object.keys(eventPayloads[type].shape).filter((name) => name !== 'items')
    const payloads = fc.oneof(mostly(fieldsOf(names, false)), fieldsOf(names, true))
    let valid = 0
    fc.assert(
      fc.property(payloads, items, (fields, list) => {
        const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
        const payload = isObject && 'items' in eventPayloads[type].shape ? { ...fields, items: list } : fields
        const value = JSON.stringify(payload)
        const { data, success } = eventPayloads[type].safeParse(JSON.parse(value))
        const key = success ? topicsOf(data)[0] : PAID.key
        const message = { key, value, headers: { ...PAID.headers, ce_type: type, ce_subject: key } }
        if (success) {
          valid++
          expect(parseEvent(message).payload).toEqual(data)
        } else expect(errorOf(message).code).toBe('invalid_payload')
      }),
    )
    expect(valid).toBeGreaterThan(5)
  })
})

describe('the schemas of the server', () => {
  test.each([
    ['event-payloads.ts', eventPayloadsModule],
    ['event-schemas.ts', eventSchemasModule],
  ])('are the source of client-sdk/src/%s, which npm run docs writes', (name, write) => {
    expect(readFileSync(new URL(`../../client-sdk/src/${name}`, import.meta.url), 'utf8')).toBe(write())
  })

  test('have the types that the SDK declares', () => {
    expectTypeOf<EventPayloads>().toEqualTypeOf<ServerPayloads>()
    expectTypeOf<Extract<ShopEvent, { type: 'order.placed' }>['payload']>().toEqualTypeOf<
      ServerPayloads['order.placed']
    >()
    expectTypeOf<ShopEvent['type']>().toEqualTypeOf<keyof ServerPayloads>()
  })
})
