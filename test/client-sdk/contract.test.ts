import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Contract, createContract } from '../../server/src/openapi/contract.ts'
import { differences } from './contract-differences.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const KINDS = ['none', 'patch', 'minor', 'major'] as const

const contract = createContract()

describe('a change of the contract', () => {
  const { version: released, ...kept } = JSON.parse(read('client-sdk/contract.snapshot.json')) as Contract & {
    version: string
  }
  const found = differences(kept, contract)
  const announced =
    KINDS[Math.max(...changesets(), stepFrom(released, JSON.parse(read('client-sdk/package.json')).version))]

  test(`since ${released} is announced for what it is`, () => {
    const told = found.map(
      ({ where, what, breaks }) => `${breaks ? 'breaks clients' : 'breaks nobody'}: ${where} ${what}`,
    )
    const needed = found.some(({ breaks }) => breaks) ? 'major' : found.length > 0 ? 'minor' : 'none'
    const isAnnounced = KINDS.indexOf(announced ?? 'none') >= KINDS.indexOf(needed)
    expect(isAnnounced ? [] : [`npx changeset: @pointwise/client-sdk needs a ${needed} version`, ...told]).toEqual([])
  })

  test('is all that there is: the same contract has no differences', () => {
    expect(differences(contract, structuredClone(contract))).toEqual([])
  })
})

/** What the changesets that wait announce, as a place in KINDS. */
function changesets(): number[] {
  const files = readdirSync(join(ROOT, '.changeset')).filter((file) => file.endsWith('.md'))
  const kinds = files.map((file) => /^["']@pointwise\/client-sdk["']: (\w+)$/m.exec(read(`.changeset/${file}`))?.[1])
  return kinds.map((kind) => KINDS.indexOf(kind as (typeof KINDS)[number]))
}

/** The step that was made already from one version to another. */
function stepFrom(before: string, after: string): number {
  const [old, now] = [before, after].map((version) => version.split('.').map(Number)) as [number[], number[]]
  const index = now.findIndex((part, place) => part > (old[place] ?? 0))
  return index < 0 ? 0 : 3 - index
}

type Schema = { [keyword: string]: unknown }

/** The schema of a field, to be changed: `orders.place input items [] price`. */
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

/** What is done to the contract, what is told of it, and whether that breaks clients. */
const CHANGES: [change: string, make: (changed: Contract) => void, told: string, breaks: boolean][] = [
  ['a procedure is gone', (c) => delete c.procedures['orders.cancel'], 'orders.cancel is gone', true],
  [
    'a procedure is new',
    (c) => (c.procedures['orders.copy'] = structuredClone(c.procedures['orders.cancel']) as never),
    'orders.copy is new',
    false,
  ],
  [
    'a query becomes a mutation',
    (c) => Object.assign(c.procedures['users.me'] ?? {}, { type: 'mutation' }),
    'users.me: its type was "query" and is "mutation"',
    true,
  ],
  [
    'a procedure refuses with another code',
    (c) => c.procedures['users.me']?.refusals.push('name_taken'),
    'users.me refusal name_taken is new',
    false,
  ],
  [
    'a procedure does not refuse with a code any more',
    (c) => c.procedures['users.me']?.refusals.splice(0, 1),
    'users.me refusal token_missing is gone',
    true,
  ],
  [
    'a refusal tells less',
    (c) => without(c.refusals.price_changed?.details ?? {}, 'actual'),
    'refusal price_changed.actual is gone',
    true,
  ],
  [
    'a refusal tells more',
    (c) => Object.assign(properties(c.refusals.price_changed?.details ?? {}), { since: { type: 'string' } }),
    'refusal price_changed.since is new',
    false,
  ],
  [
    'a refusal has another status',
    (c) => Object.assign(c.refusals.price_changed ?? {}, { status: 410 }),
    'refusal price_changed: its status was 409 and is 410',
    true,
  ],
  ...(
    [
      ['is new and required', 'is new', true, true],
      ['is new and may be left out', 'is new', false, false],
    ] as const
  ).map(([change, what, isRequired, breaks]): (typeof CHANGES)[number] => [
    `a field of an input ${change}`,
    (c) => {
      const input = at(c, ['points.charge', 'input'])
      Object.assign(properties(input), { reason: { type: 'string' } })
      if (isRequired) required(input).push('reason')
    },
    `points.charge input.reason ${what}`,
    breaks,
  ]),
  [
    'a field of an input is gone',
    (c) => without(at(c, ['points.charge', 'input']), 'idempotencyKey'),
    'points.charge input.idempotencyKey is gone',
    true,
  ],
  [
    'a field of an input has to be given',
    (c) => required(at(c, ['points.charge', 'input'])).push('idempotencyKey'),
    'points.charge input.idempotencyKey is required now',
    true,
  ],
  [
    'an input has to be given',
    (c) => Object.assign(c.procedures['products.list'] ?? {}, { mayOmitInput: false }),
    'products.list input is required now',
    true,
  ],
  [
    'less is accepted',
    (c) => Object.assign(at(c, ['orders.place', 'input', 'items']), { maxItems: 10 }),
    'orders.place input.items: its maxItems was 50 and is 10',
    true,
  ],
  [
    'more is accepted',
    (c) => Object.assign(at(c, ['orders.place', 'input', 'items']), { maxItems: 100 }),
    'orders.place input.items: its maxItems was 50 and is 100',
    false,
  ],
  [
    'a bound is new',
    (c) => Object.assign(at(c, ['points.charge', 'input', 'amount']), { maximum: 10 }),
    'points.charge input.amount: its maximum was nothing and is 10',
    true,
  ],
  [
    'another default',
    (c) => Object.assign(at(c, ['points.histories', 'input', 'limit']), { default: 10 }),
    'points.histories input.limit: its default was 20 and is 10',
    true,
  ],
  [
    'a choice of an input is gone',
    (c) => (at(c, ['orders.list', 'input', 'status']).enum as string[]).pop(),
    'orders.list input.status as "refunded" is gone',
    true,
  ],
  [
    'a choice of an input is new',
    (c) => (at(c, ['orders.list', 'input', 'status']).enum as string[]).push('sent'),
    'orders.list input.status as "sent" is new',
    false,
  ],
  [
    'a field of an answer is gone',
    (c) => without(at(c, ['points.balance', 'output']), 'limit'),
    'points.balance output.limit is gone',
    true,
  ],
  [
    'a field of an answer is new',
    (c) => Object.assign(properties(at(c, ['points.balance', 'output'])), { since: { type: 'string' } }),
    'points.balance output.since is new',
    false,
  ],
  [
    'a field of an answer is of another type',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { type: 'string' }),
    'points.balance output.balance as integer is gone',
    true,
  ],
  [
    'a field of an answer may be null',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { type: ['integer', 'null'] }),
    'points.balance output.balance as null is new',
    true,
  ],
  [
    'a field of an answer may be absent',
    (c) => Object.assign(at(c, ['points.balance', 'output']), { required: ['balance', 'limit'] }),
    'points.balance output.updatedAt may be absent now',
    true,
  ],
  [
    'an answer may have another value',
    (c) => (at(c, ['points.histories', 'output', 'items', '[]', 'type']).enum as string[]).push('GIFT'),
    'points.histories output.items[].type as "GIFT" is new',
    true,
  ],
  [
    'a date of a named answer is another text',
    (c) => Object.assign(properties(c.named.Payment ?? {}).paidAt ?? {}, { format: 'date' }),
    'payments.get output.paidAt: its format was "date-time" and is "date"',
    true,
  ],
  [
    'the bound of an answer',
    (c) => Object.assign(at(c, ['points.balance', 'output', 'balance']), { maximum: 2_000_000 }),
    'points.balance output.balance: its maximum was 1000000 and is 2000000',
    false,
  ],
]

describe('to clients', () => {
  test.each(CHANGES)('%s', (_change, make, told, breaks) => {
    const changed = structuredClone(contract)
    make(changed)
    const found = differences(contract, changed)
    expect(found.map(({ where, what }) => `${where} ${what}`)).toContain(told)
    expect(found.some((each) => each.breaks)).toBe(breaks)
  })
})
