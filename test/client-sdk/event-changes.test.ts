import { describe, expect, test } from 'vitest'
import { type Contract, createContract } from '../../server/src/openapi/contract.ts'
import { differences } from './contract-differences.ts'

type Schema = { [keyword: string]: unknown }

const contract = createContract()

/** The payload of an event type, or the schema of one of its fields, such as `['items', '[]', 'stock']`. */
function payloadOf({ events }: Contract, type: string, ...steps: string[]): Schema {
  return steps.reduce<Schema>(
    (schema, step) => (step === '[]' ? schema.items : (schema.properties as Schema)[step]) as Schema,
    events[type]?.payload ?? expect.fail(type),
  )
}

function remove(schema: Schema, field: string): void {
  delete (schema.properties as Schema)[field]
  makeOptional(schema, field)
}

function makeOptional(schema: Schema, field: string): void {
  schema.required = (schema.required as string[]).filter((each) => each !== field)
}

const add = (schema: Schema, field: string, added: Schema) =>
  Object.assign(schema.properties as Schema, { [field]: added })

/** The contract as released, if the change needs a contract other than the current one. */
type Change = { make: (changed: Contract) => unknown; released?: (contract: Contract) => unknown; difference: string }

const BREAKING: Record<string, Change> = {
  'a removed type': {
    make: (c) => delete c.events['order.paid'],
    difference: 'event order.paid was removed',
  },
  'a removed field': {
    make: (c) => remove(payloadOf(c, 'order.paid'), 'amount'),
    difference: 'event order.paid.amount was removed',
  },
  'a removed field of an item': {
    make: (c) => remove(payloadOf(c, 'order.paid', 'items', '[]'), 'stock'),
    difference: 'event order.paid.items[].stock was removed',
  },
  'a changed type of a field': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'amount'), { type: 'string' }),
    difference: 'event order.paid.amount as integer was removed',
  },
  'an integer that becomes any number': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'amount'), { type: 'number' }),
    difference: 'event order.paid.amount as number was added',
  },
  'a field that becomes nullable': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'amount'), { type: ['integer', 'null'] }),
    difference: 'event order.paid.amount as null was added',
  },
  'a field that becomes a union': {
    make: (c) => {
      const amount = payloadOf(c, 'order.paid', 'amount')
      add(payloadOf(c, 'order.paid'), 'amount', { oneOf: [amount, { type: 'string' }] })
    },
    difference: 'event order.paid.amount as string was added',
  },
  'a required field that becomes optional': {
    make: (c) => makeOptional(payloadOf(c, 'order.paid'), 'amount'),
    difference: 'event order.paid.amount is optional now',
  },
  'a higher maximum': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'amount'), { maximum: 4_294_967_295 }),
    difference: 'event order.paid.amount: its maximum was 2147483647 and is 4294967295',
  },
  'a removed maximum': {
    make: (c) => delete payloadOf(c, 'order.paid', 'amount').maximum,
    difference: 'event order.paid.amount: its maximum was 2147483647 and is nothing',
  },
  'a lower minimum': {
    make: (c) => Object.assign(payloadOf(c, 'points.charged', 'amount'), { minimum: -1_000 }),
    difference: 'event points.charged.amount: its minimum was 1 and is -1000',
  },
  'a list that can be empty': {
    make: (c) => delete payloadOf(c, 'order.paid', 'items').minItems,
    difference: 'event order.paid.items: its minItems was 1 and is nothing',
  },
  'an added value of an enumeration': {
    released: (c) => add(payloadOf(c, 'order.paid'), 'method', { type: 'string', enum: ['points'] }),
    make: (c) => add(payloadOf(c, 'order.paid'), 'method', { type: 'string', enum: ['points', 'card'] }),
    difference: 'event order.paid.method as "card" was added',
  },
  'an enumeration that becomes any text': {
    released: (c) => add(payloadOf(c, 'order.paid'), 'method', { type: 'string', enum: ['points'] }),
    make: (c) => add(payloadOf(c, 'order.paid'), 'method', { type: 'string' }),
    difference: 'event order.paid.method: its enum was ["points"] and is nothing',
  },
  'a constant that becomes any text': {
    make: (c) => delete (c.eventHeaders.properties as Record<string, Schema>).ce_source?.const,
    difference: 'event headers.ce_source: its const was "/pointwise" and is nothing',
  },
  'a changed key': {
    make: (c) => Object.assign(c.events['order.paid'] ?? {}, { key: 'order:{orderId}' }),
    difference: 'event order.paid: its key was "user:{userId}" and is "order:{orderId}"',
  },
  'a removed header': {
    make: (c) => remove(c.eventHeaders, 'ce_id'),
    difference: 'event headers.ce_id was removed',
  },
}

const COMPATIBLE: Record<string, Change> = {
  'an added type': {
    make: (c) => Object.assign(c.events, { 'points.granted': structuredClone(c.events['points.charged']) }),
    difference: 'event points.granted was added',
  },
  'an added field': {
    make: (c) => add(payloadOf(c, 'order.paid'), 'paidAt', { type: 'string' }),
    difference: 'event order.paid.paidAt was added',
  },
  'an added field of an item': {
    make: (c) => add(payloadOf(c, 'order.paid', 'items', '[]'), 'price', { type: 'integer' }),
    difference: 'event order.paid.items[].price was added',
  },
  'an optional field that becomes required': {
    released: (c) => makeOptional(payloadOf(c, 'order.paid'), 'amount'),
    make: () => undefined,
    difference: 'event order.paid.amount is required now',
  },
  'a lower maximum': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'amount'), { maximum: 1_000_000 }),
    difference: 'event order.paid.amount: its maximum was 2147483647 and is 1000000',
  },
  'an added maximum': {
    make: (c) => Object.assign(payloadOf(c, 'order.paid', 'balance'), { maximum: 1_000_000 }),
    difference: 'event order.paid.balance: its maximum was nothing and is 1000000',
  },
  'an added pattern': {
    make: (c) => Object.assign(payloadOf(c, 'product.created', 'name'), { pattern: '\\S' }),
    difference: 'event product.created.name: its pattern was nothing and is "\\\\S"',
  },
  'an added header': {
    make: (c) => add(c.eventHeaders, 'tracestate', { type: 'string' }),
    difference: 'event headers.tracestate was added',
  },
}

describe.each([
  ['breaks consumers', BREAKING, true],
  ['breaks no consumer', COMPATIBLE, false],
] as const)('A change of an event that %s:', (_title, changes, breaks) => {
  test.each(Object.entries(changes))('%s', (_change, { make, released = () => undefined, difference }) => {
    const [before, after] = [structuredClone(contract), structuredClone(contract)]
    released(before)
    make(after)
    const found = differences(before, after)
    expect(found.map(({ where, what }) => `${where} ${what}`)).toContain(difference)
    expect(found.some((each) => each.breaks)).toBe(breaks)
  })
})

test('The contract contains the key and the payload of each event, without texts and examples', () => {
  expect(contract.events['points.charged']).toEqual({
    key: 'user:{userId}',
    payload: {
      type: 'object',
      properties: {
        userId: { type: 'integer', minimum: 1 },
        historyId: { type: 'integer', minimum: 1 },
        amount: { type: 'integer', minimum: 1 },
        balance: { type: 'integer', minimum: 0 },
      },
      required: ['userId', 'historyId', 'amount', 'balance'],
    },
  })
  expect(contract.events['product.restocked']?.key).toBe('product:{productId}')
})
