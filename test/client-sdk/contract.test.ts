import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Contract, createContract } from '../../server/src/openapi/contract.ts'
import { type Changeset, kindOfStep, missingAnnouncements, toChangeset } from './changesets.ts'
import { differences } from './contract-differences.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const contract = createContract()

describe('The contract', () => {
  const { version: released, ...releasedContract } = JSON.parse(
    read('client-sdk/contract.snapshot.json'),
  ) as Contract & {
    version: string
  }
  const found = differences(releasedContract, contract)

  test(`has no change since version ${released} that the changesets do not announce`, () => {
    const step = kindOfStep(released, JSON.parse(read('client-sdk/package.json')).version)
    expect(missingAnnouncements(found, pendingChangesets(), step)).toEqual([])
  })

  test('has no differences from itself', () => {
    expect(differences(contract, structuredClone(contract))).toEqual([])
  })
})

function pendingChangesets(): Changeset[] {
  const files = readdirSync(join(ROOT, '.changeset')).filter((file) => file.endsWith('.md'))
  return files.map((file) => toChangeset(read(`.changeset/${file}`)))
}

type Schema = { [keyword: string]: unknown }

/** The schema of a field, such as `['orders.place', 'input', 'items', '[]', 'price']`. */
function at(changed: Contract, [path = '', ...steps]: string[]): Schema {
  return steps.reduce<Schema>(
    (schema, step) => {
      const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined
      const here = name ? (changed.named[name] ?? {}) : schema
      if (step === 'input' || step === 'output') return here[step] as Schema
      return (step === '[]' ? here.items : (here.properties as Schema)[step]) as Schema
    },
    (changed.procedures[path] ?? changed.refusals[path]) as unknown as Schema,
  )
}

const properties = (schema: Schema) => schema.properties as Record<string, Schema>
const required = (schema: Schema) => schema.required as string[]
const without = (schema: Schema, name: string) => {
  delete properties(schema)[name]
  schema.required = required(schema).filter((each) => each !== name)
}

/** A change of the contract, the difference that is reported, and whether it breaks clients. */
const CHANGES: [change: string, make: (changed: Contract) => void, difference: string, breaks: boolean][] = [
  ['a removed procedure', (c) => delete c.procedures['orders.cancel'], 'orders.cancel was removed', true],
  [
    'an added procedure',
    (c) => (c.procedures['orders.copy'] = structuredClone(c.procedures['orders.cancel']) as never),
    'orders.copy was added',
    false,
  ],
  [
    'a query that becomes a mutation',
    (c) => Object.assign(c.procedures['users.me'] ?? {}, { type: 'mutation' }),
    'users.me: its type was "query" and is "mutation"',
    true,
  ],
  [
    'an added refusal code of a procedure',
    (c) => c.procedures['users.me']?.refusals.push('name_taken'),
    'users.me refusal name_taken was added',
    false,
  ],
  [
    'a removed refusal code of a procedure',
    (c) => c.procedures['users.me']?.refusals.splice(0, 1),
    'users.me refusal token_missing was removed',
    true,
  ],
  [
    'a removed detail of a refusal',
    (c) => without(c.refusals.price_changed?.details ?? {}, 'actual'),
    'refusal price_changed.actual was removed',
    true,
  ],
  [
    'an added detail of a refusal',
    (c) => Object.assign(properties(c.refusals.price_changed?.details ?? {}), { since: { type: 'string' } }),
    'refusal price_changed.since was added',
    false,
  ],
  [
    'a changed status of a refusal',
    (c) => Object.assign(c.refusals.price_changed ?? {}, { status: 410 }),
    'refusal price_changed: its status was 409 and is 410',
    true,
  ],
  ...([true, false] as const).map((isRequired): (typeof CHANGES)[number] => [
    `an added ${isRequired ? 'required' : 'optional'} input field`,
    (c) => {
      const input = at(c, ['points.charge', 'input'])
      Object.assign(properties(input), { reason: { type: 'string' } })
      if (isRequired) required(input).push('reason')
    },
    'points.charge input.reason was added',
    isRequired,
  ]),
  [
    'a removed input field',
    (c) => without(at(c, ['points.charge', 'input']), 'idempotencyKey'),
    'points.charge input.idempotencyKey was removed',
    true,
  ],
  [
    'an input field that becomes required',
    (c) => required(at(c, ['points.charge', 'input'])).push('idempotencyKey'),
    'points.charge input.idempotencyKey is required now',
    true,
  ],
  [
    'an input that becomes required',
    (c) => Object.assign(c.procedures['products.list'] ?? {}, { mayOmitInput: false }),
    'products.list input is required now',
    true,
  ],
  [
    'a narrower bound of an input',
    (c) => Object.assign(at(c, ['orders.place', 'input', 'items']), { maxItems: 10 }),
    'orders.place input.items: its maxItems was 50 and is 10',
    true,
  ],
  [
    'a wider bound of an input',
    (c) => Object.assign(at(c, ['orders.place', 'input', 'items']), { maxItems: 100 }),
    'orders.place input.items: its maxItems was 50 and is 100',
    false,
  ],
  [
    'an added bound of an input',
    (c) => Object.assign(at(c, ['points.charge', 'input', 'amount']), { maximum: 10 }),
    'points.charge input.amount: its maximum was nothing and is 10',
    true,
  ],
  [
    'a changed default',
    (c) => Object.assign(at(c, ['points.histories', 'input', 'limit']), { default: 10 }),
    'points.histories input.limit: its default was 20 and is 10',
    true,
  ],
  [
    'a removed enum value of an input',
    (c) => (at(c, ['orders.list', 'input', 'status']).enum as string[]).pop(),
    'orders.list input.status as "refunded" was removed',
    true,
  ],
  [
    'an added enum value of an input',
    (c) => (at(c, ['orders.list', 'input', 'status']).enum as string[]).push('sent'),
    'orders.list input.status as "sent" was added',
    false,
  ],
  [
    'a removed output field',
    (c) => without(at(c, ['points.balance', 'output']), 'limit'),
    'points.balance output.limit was removed',
    true,
  ],
  [
    'an added output field',
    (c) => Object.assign(properties(at(c, ['points.balance', 'output'])), { since: { type: 'string' } }),
    'points.balance output.since was added',
    false,
  ],
  [
    'a changed type of an output field',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { type: 'string' }),
    'points.balance output.balance as integer was removed',
    true,
  ],
  [
    'an output field that becomes nullable',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { type: ['integer', 'null'] }),
    'points.balance output.balance as null was added',
    true,
  ],
  [
    'an output field that becomes optional',
    (c) => Object.assign(at(c, ['points.balance', 'output']), { required: ['balance', 'limit'] }),
    'points.balance output.updatedAt is optional now',
    true,
  ],
  [
    'an added enum value of an output',
    (c) => (at(c, ['points.histories', 'output', 'items', '[]', 'type']).enum as string[]).push('GIFT'),
    'points.histories output.items[].type as "GIFT" was added',
    true,
  ],
  [
    'a changed date format in a shared output type',
    (c) => Object.assign(properties(c.named.Payment ?? {}).paidAt ?? {}, { format: 'date' }),
    'payments.get output.paidAt: its format was "date-time" and is "date"',
    true,
  ],
  [
    'a changed bound of an output',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { maximum: 2_000_000 }),
    'points.balance output.balance: its maximum was 1000000 and is 2000000',
    false,
  ],
]

describe('The comparison of two contracts reports', () => {
  test.each(CHANGES)('%s', (_change, make, difference, breaks) => {
    const changed = structuredClone(contract)
    make(changed)
    const found = differences(contract, changed)
    expect(found.map(({ where, what }) => `${where} ${what}`)).toContain(difference)
    expect(found.some((each) => each.breaks)).toBe(breaks)
  })
})

describe('A change of the contract', () => {
  const breaking = { where: 'event order.paid.amount', what: 'was removed', breaks: true }
  const compatible = { where: 'event points.granted', what: 'was added', breaks: false }
  const changeset = (kind: string, text: string) =>
    toChangeset(`---\n'@pointwise/client-sdk': ${kind}\n---\n\n${text}\n`)
  const missing = (...given: Parameters<typeof missingAnnouncements>) => missingAnnouncements(...given).length

  test('that breaks needs a major changeset with the name of what it changes', () => {
    expect(missing([breaking], [], 'none')).toBe(2)
    expect(missing([breaking], [changeset('minor', 'Removes `amount` of `order.paid`.')], 'none')).toBe(1)
    expect(missing([breaking], [changeset('major', 'Removes `orders.get`.')], 'none')).toBe(1)
    expect(missing([breaking], [changeset('major', 'Removes `amount` of `order.paid`.')], 'none')).toBe(0)
    expect(missing([breaking], [], 'minor')).toBe(1)
    expect(missing([breaking], [], 'major')).toBe(0)
  })

  test('that does not break needs a minor version', () => {
    expect(missing([compatible], [], 'none')).toBe(1)
    expect(missing([compatible], [changeset('patch', '')], 'none')).toBe(1)
    expect(missing([compatible], [changeset('minor', '')], 'none')).toBe(0)
    expect(missing([compatible], [], 'minor')).toBe(0)
  })

  test.each([
    ['users.remove refusal user_not_found', '`users.remove`'],
    ['audit.run output.checks[].name as "states"', '`audit.run`'],
    ['refusal price_changed.actual', '`price_changed`'],
    ['refusal price_changed: its status', '`price_changed`'],
    ['event order.paid: its key', '`order.paid`'],
    ['event order.paid.items[].stock', '`order.paid`'],
    ['event headers.content-type: its const', '`content-type`'],
  ])('at %s has the name %s', (where, name) => {
    expect(
      missingAnnouncements([{ where, what: 'was removed', breaks: true }], [changeset('major', name)], 'none'),
    ).toEqual([])
    expect(
      missingAnnouncements([{ where, what: 'was removed', breaks: true }], [changeset('major', '')], 'none'),
    ).toHaveLength(1)
  })
})
